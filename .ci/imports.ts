/**
 * Checks who imports whom: the layer table below (docs/architecture.md says why) and no cycles.
 * Only runtime imports count for cycles; a type-only import must still respect the table.
 */
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
  // The wire protocol: shared with the page, encoders and decoders included.
  ['engine/protocol.ts', 'protocol'],
  ['engine/heap.ts', 'errors'],
  ['engine/log.ts', 'errors'],
  ['engine/threads.ts', 'errors'],
  ...[
    'array weights tensor onnx runtime arch patch text sampling values media store assets workflow',
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
  onnx: ['tensor', 'weights'],
  runtime: ['onnx', 'tensor', 'weights', 'array'],
  arch: ['tensor', 'array', 'type:weights', 'type:sampling'],
  patch: ['weights', 'tensor', 'array', 'type:sampling'],
  python: [],
  text: ['array', 'weights', 'python'],
  sampling: ['array'],
  values: [
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
  media: ['array'],
  store: ['type:graph'],
  assets: ['store', 'media'],
  graph: ['python'],
  packs: ['python', 'graph', 'store', 'type:config'],
  node: ['python', 'graph', 'array', 'type:values'],
  queue: ['graph', 'store', 'type:worker', 'config'],
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
  ],
  config: ['type:values', 'type:store', 'type:graph'],
  nodes: [
    'node',
    'packs',
    'python',
    'graph',
    'values',
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

/** Cycles of runtime imports, found by depth-first search with an explicit stack. */
function cycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { file, target, typeOnly } of imports) {
    if (!typeOnly) edges.set(file, [...(edges.get(file) ?? []), target]);
  }
  const done = new Set<string>();
  const found: string[] = [];
  for (const start of edges.keys()) {
    const path: string[] = [];
    const onPath = new Set<string>();
    const stack: { node: string; next: number }[] = [{ node: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next === 0) {
        if (done.has(top.node)) {
          stack.pop();
          continue;
        }
        path.push(top.node);
        onPath.add(top.node);
      }
      const target = edges.get(top.node)?.[top.next++];
      if (target === undefined) {
        done.add(top.node);
        onPath.delete(top.node);
        path.pop();
        stack.pop();
      } else if (onPath.has(target)) {
        found.push(`cycle: ${[...path.slice(path.indexOf(target)), target].join(' -> ')}`);
      } else if (!done.has(target)) {
        stack.push({ node: target, next: 0 });
      }
    }
  }
  return found;
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
