/** Running one node of a golden case, and naming its operands. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repeatToBatch, rows } from '../../../engine/array/batch.ts';
import { type NDArray, full } from '../../../engine/array/nd.ts';
import { flipAxis } from '../../../engine/array/turn.ts';
import type { NodeContext, NodeDefinition, NodeOutput } from '../../../engine/graph/definition.ts';
import { createFolders, type Folders } from '../../../engine/store/folders.ts';
import type { Comparison } from '../area.ts';
import { compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';

export type Params = Readonly<Record<string, unknown>>;

export interface CaseParams {
  readonly op: string;
  readonly outputs: Readonly<Record<string, Params>>;
  readonly [key: string]: unknown;
}

export type PictureCase = GoldenCase<CaseParams>;

/** Enough for functions that ask how much memory there is. */
const runtime = { stats: () => ({ memoryBudget: 2 ** 30 }) };

/** A context for nodes that use nothing but folders. */
export function contextWith(folders?: Folders): NodeContext {
  return {
    nodeId: '1',
    promptId: 'golden',
    callIndex: 0,
    state: new Map(),
    newGraph: () => {
      throw new Error('these nodes expand into no others');
    },
    signal: new AbortController().signal,
    services: { folders, runtime, options: { disableMetadata: false } },
    progress: () => undefined,
    setProgress: () => undefined,
    sendText: () => undefined,
    send: () => undefined,
  };
}

/** Calls `use` with folders in a temporary place that is removed afterwards. */
export async function withFolders<T>(use: (folders: Folders) => Promise<T>): Promise<T> {
  const base = await mkdtemp(join(tmpdir(), 'noodle-pictures-'));
  try {
    return await use(createFolders({ base }));
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

/** The results of a node. */
export async function runNode(
  node: NodeDefinition,
  inputs: Record<string, unknown>,
  context: NodeContext = contextWith(),
): Promise<readonly unknown[]> {
  const output = await node.run(inputs, context);
  if (Array.isArray(output)) return output as readonly unknown[];
  return ((output as NodeOutput).result as readonly unknown[] | undefined) ?? [];
}

/** Expected against got, with the case's tolerance, or the one it has for lanczos. */
export function check(golden: PictureCase, key: string, got: unknown): Comparison {
  const own = key.includes('lanczos') ? golden.params['lanczos_atol'] : undefined;
  const tolerance = typeof own === 'number' ? { atol: own, rtol: 0 } : golden.tolerance;
  return compare(key, got as NDArray, golden.numbers(key), tolerance);
}

/** Two lists of batch indices, of which either may be missing. */
export function checkIndex(key: string, got: unknown, expected: unknown): Comparison {
  const list = (index: unknown): { data: readonly number[]; shape: readonly number[] } => {
    const data = (index as readonly number[] | null | undefined) ?? [];
    return { data, shape: [data.length] };
  };
  return compare(`${key} batch_index`, list(got), list(expected), { atol: 0, rtol: 0 });
}

/**
 * An operand as the metadata words it: the name of an input, `name[0:1]`, `ones[1,9,12]`,
 * `name repeated to batch 2`, `name flipped along batch`.
 */
export function operand(golden: PictureCase, text: string): NDArray {
  const ones = /^ones\[([\d,]+)\]$/.exec(text);
  if (ones) return full(ones[1].split(',').map(Number), 1);
  const words = /^(\w+?)(?:\[(\d+):(\d+)\])?(?: (repeated|flipped).*?(\d+)?)?$/.exec(text);
  if (!words) throw new Error(`operand '${text}' is not understood`);
  const [, name, start, end, change, count] = words;
  const x = golden.array(`in.${name}`);
  if (start !== undefined) return rows(x, Number(start), Number(end));
  if (change === 'repeated') return repeatToBatch(x, Number(count));
  return change === 'flipped' ? flipAxis(x, 0) : x;
}
