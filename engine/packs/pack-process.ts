/**
 * The pack process: it loads the packs so that the server need not. Here run what the server has to
 * ask of a pack (its nodes' choices and checks) and nothing else; nodes run in engines. Whatever a pack
 * does to its process (ends it, blocks it, changes what all objects share) stays in here.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FolderSettings } from '../config.ts';
import type { LooseInputs, NodeDefinition } from '../graph/definition.ts';
import { packId } from './find-packs.ts';
import { loadPacks } from './load-packs.ts';
import type { PackProblem } from './load-packs.ts';
import { messageOf, pythonTypeOf } from '../python/error.ts';
import { createFolders } from '../store/folders.ts';
import { describeNode } from './describe.ts';
import type { FromPacks, NodeDescription, ToPacks } from './messages.ts';
import { decode, encode } from './messages.ts';
import { packOf } from './pack-of.ts';

const source = createFolders(JSON.parse(process.argv[2]) as FolderSettings);
// As they are now: a pack may put its own in their place.
const send = process.send!.bind(process);
const exit = process.exit.bind(process);

const tell = (message: FromPacks): Promise<void> =>
  new Promise((resolve) => {
    if (process.connected) send(message, undefined, undefined, () => resolve());
  });

let paths: readonly string[] = [];
let nodes: ReadonlyMap<string, NodeDefinition> = new Map();
/** What the server was told last of the nodes whose choices may change. */
const told = new Map<string, NodeDescription>();

process.on('disconnect', () => exit(0));
process.on('SIGINT', () => undefined);
process.on('uncaughtException', (error: unknown) => {
  const path = packOf(error, paths);
  const problem: PackProblem = {
    pack: path === undefined ? '' : packId(path),
    error: `an error nobody caught: ${messageOf(error)}`,
    stack: error instanceof Error ? error.stack : undefined,
  };
  void tell({ type: 'problem', problem });
});
process.on('message', (message) => {
  const order = message as ToPacks;
  if (order.type === 'load') void load(order);
  else void answer(order);
});

async function load(order: ToPacks & { type: 'load' }): Promise<void> {
  paths = order.paths;
  const loaded = await loadPacks({
    paths,
    builtin: new Set(order.builtin),
    onLoading: (path) => tell({ type: 'loading', path }),
  });
  nodes = loaded.nodes;
  const problems = [...loaded.problems];
  const described = new Map<string, NodeDescription>();
  for (const { id, nodes: names } of loaded.packs) {
    for (const name of names) {
      try {
        described.set(name, describeNode(nodes.get(name)!, source));
      } catch (error) {
        problems.push({ pack: id, error: `node ${name}: ${messageOf(error)}` });
      }
    }
  }
  for (const [name, description] of described) {
    if (description.changing) told.set(name, description);
  }
  const packs = loaded.packs.map((pack) => ({
    ...pack,
    nodes: pack.nodes.filter((name) => described.has(name)),
  }));
  await tell({ type: 'loaded', nodes: [...described.values()], packs, problems });
}

async function answer(order: Exclude<ToPacks, { type: 'load' }>): Promise<void> {
  const { id } = order;
  try {
    const value = order.type === 'check' ? await check(order) : changedChoices();
    await tell({ type: 'answer', id, value });
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    await tell({
      type: 'failure',
      id,
      error: { type: pythonTypeOf(error), message: messageOf(error), stack },
    });
  }
}

async function check({ node, inputs, inputTypes }: ToPacks & { type: 'check' }): Promise<unknown> {
  const validate = nodes.get(node)?.validate;
  const given = decode(inputs) as LooseInputs;
  const said: unknown = await validate?.check(given, inputTypes, source);
  // Only true is good; anything else is shown.
  return typeof said === 'object' ? encode(said) : said;
}

function changedChoices(): NodeDescription[] {
  const changed: NodeDescription[] = [];
  for (const [name, before] of told) {
    const description = describeNode(nodes.get(name)!, source);
    if (isDeepStrictEqual(description, before)) continue;
    told.set(name, description);
    changed.push(description);
  }
  return changed;
}
