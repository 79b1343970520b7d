/**
 * Checks who imports whom: the layer table below (docs/architecture.md says why) and no cycles.
 * Imports of types count for cycles as well.
 */
import { alg, Graph } from '@dagrejs/graphlib';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Layer of a file: the first prefix that matches. */
const LAYERS: readonly (readonly [prefix: string, layer: string])[] = [
  ['engine/errors.ts', 'errors'],
  ['engine/node.ts', 'node'],
  ['engine/config.ts', 'config'],
  ['engine/flags.ts', 'config'],
  ['engine/precision-flags.ts', 'config'],
  ['engine/device-flags.ts', 'config'],
  // The wire protocol: shared with the page, encoders and decoders included.
  ['engine/protocol.ts', 'protocol'],
  ['engine/heap.ts', 'errors'],
  ['engine/log.ts', 'errors'],
  ['engine/version.ts', 'errors'],
  ['engine/processor.ts', 'errors'],
  ['engine/threads.ts', 'errors'],
  ...[
    'array weights tensor autodiff onnx runtime arch patch text sampling values training media store assets workflow',
    'python graph packs queue worker server',
  ]
    .join(' ')
    .split(' ')
    .map((name) => [`engine/${name}/`, name] as const),
  ['nodes/', 'nodes'],
  ['custom_nodes/', 'custom_nodes'],
  ['web/', 'web'],
  ['cli/', 'cli'],
  ['server.ts', 'main'],
  ['tests/', 'tests'],
  ['bench/', 'tests'],
  ['docs/', 'tests'],
  ['.ci/', 'tests'],
];

/** Layers that every layer may import. */
const EVERYWHERE = ['errors', 'workflow'];

/** What a layer may import besides itself and EVERYWHERE; '*' = anything. `type:` = types only. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  workflow: [],
  protocol: [],
  array: [],
  weights: ['array'],
  tensor: ['array', 'weights'],
  autodiff: ['tensor'],
  onnx: ['tensor', 'weights'],
  runtime: ['onnx', 'tensor', 'weights', 'array'],
  arch: ['tensor', 'array', 'type:weights', 'type:sampling', 'type:text'],
  patch: ['weights', 'tensor', 'array', 'type:sampling', 'type:runtime', 'type:arch'],
  python: [],
  text: ['array', 'weights', 'python'],
  sampling: ['array'],
  values: [
    'python',
    'arch',
    'runtime',
    'patch',
    'text',
    'sampling',
    'array',
    'weights',
    'tensor',
    'type:store',
  ],
  training: [
    'python',
    'autodiff',
    'arch',
    'runtime',
    'patch',
    'text',
    'sampling',
    'values',
    'array',
    'weights',
    'tensor',
    'media',
    'store',
  ],
  media: ['array'],
  store: ['type:graph'],
  assets: ['store', 'media'],
  graph: ['python', 'type:protocol'],
  packs: ['python', 'graph', 'store', 'type:config'],
  node: ['python', 'graph', 'array', 'sampling', 'values', 'media'],
  queue: ['graph', 'store', 'worker', 'config'],
  worker: ['packs', 'graph', 'values', 'store', 'runtime', 'arch', 'media', 'config', 'nodes'],
  server: [
    'protocol',
    'python',
    'packs',
    'queue',
    'graph',
    'store',
    'assets',
    'config',
    'media',
    'weights',
    'worker',
    'training',
  ],
  config: ['type:values', 'type:store', 'type:graph', 'type:runtime'],
  nodes: [
    'patch',
    'node',
    'packs',
    'python',
    'graph',
    'values',
    'training',
    'sampling',
    'text',
    'media',
    'array',
    'store',
    'weights',
  ],
  custom_nodes: ['node'],
  web: ['protocol', 'type:graph'],
  cli: ['*'],
  main: ['*'],
  tests: ['*'],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const layerOf = (file: string): string | undefined =>
  LAYERS.find(([prefix]) => file.startsWith(prefix))?.[1];

function sourceFiles(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    if (name === 'node_modules' || name === 'dist' || name === '.git') return [];
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return /\.tsx?$/.test(name) && !name.endsWith('.d.ts') ? [path] : [];
  });
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?([^'";]*?\sfrom\s+)?['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(IMPORT)) {
    const [, typeKeyword, , staticPath, dynamicPath] = match;
    const target = relative(root, resolve(dirname(file), staticPath ?? dynamicPath));
    found.push({ file: relative(root, file), target, typeOnly: typeKeyword !== undefined });
  }
  return found;
}

function violations(imports: readonly Import[]): string[] {
  return imports.flatMap(({ file, target, typeOnly }) => {
    const from = layerOf(file);
    const to = layerOf(target);
    if (from === undefined || to === undefined || from === to || EVERYWHERE.includes(to)) return [];
    const allowed = ALLOWED[from];
    if (allowed.includes('*') || allowed.includes(to)) return [];
    if (typeOnly && allowed.includes(`type:${to}`)) return [];
    return [`${file} (${from}) must not import ${target} (${to}${typeOnly ? ', type' : ''})`];
  });
}

/**
 * Circles of imports, one for each knot of files that reach each other: the shortest way round, so that
 * the message says where to cut.
 */
function cycles(imports: readonly Import[]): string[] {
  const graph = new Graph({ directed: true });
  for (const { file, target } of imports) {
    graph.setEdge(file, target);
  }
  return alg.findCycles(graph).map((knot) => `cycle: ${shortestCircle(graph, knot).join(' -> ')}`);
}

function shortestCircle(graph: Graph, knot: readonly string[]): string[] {
  const inside = graph.filterNodes((file) => knot.includes(file));
  const circles = knot.map((start) => {
    const ways = alg.dijkstra(inside, start);
    const last = (inside.predecessors(start) ?? []).reduce((best, file) =>
      ways[file].distance < ways[best].distance ? file : best,
    );
    const circle = [start];
    for (let file = last; file !== start; file = ways[file].predecessor!) circle.splice(1, 0, file);
    return [...circle, start];
  });
  return circles.reduce((best, circle) => (circle.length < best.length ? circle : best));
}

const files = ['engine', 'nodes', 'custom_nodes', 'web', 'cli', 'tests', 'bench', 'docs'].flatMap(
  (dir) => sourceFiles(join(root, dir)),
);
const imports = [...files, join(root, 'server.ts')].flatMap((file) => {
  try {
    return importsOf(file);
  } catch {
    return [];
  }
});
const problems = [...violations(imports), ...cycles(imports)];
for (const problem of problems) console.error(problem);
console.log(`imports: ${imports.length} checked, ${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);
