/** Context windows; their numbers are in sampled-like-reference.test.ts. */
import { describe, expect, test } from 'vitest';
import { take } from '../../engine/array/batch.ts';
import { nd, zeros } from '../../engine/array/nd.ts';
import type { NodeDefinition } from '../../engine/graph/definition.ts';
import { contextWindows } from '../../engine/sampling/guidance/context-windows.ts';
import type { Evaluate, HookRun } from '../../engine/sampling/guidance/hooks.ts';
import { windowSchedules } from '../../engine/sampling/guidance/window-schedules.ts';
import type { PreparedEntry } from '../../engine/sampling/prepared.ts';
import type { Model } from '../../engine/values/model.ts';
import { contextWindowNodes } from '../../nodes/context-windows.ts';
import { runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { pattern } from '../support/number-pattern.ts';

test.each(contextWindowNodes.map((node): [string, NodeDefinition] => [node.name, node]))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const options = {
  schedule: 'standard_static',
  fuse: 'pyramid',
  length: 3,
  overlap: 1,
  stride: 1,
  closedLoop: false,
  axis: 0,
  freeNoise: false,
  retainCond: [],
  retainLatent: [],
  splitConds: false,
  anchor: false,
} as const;
const run = {
  memory: { sigmas: Float32Array.of(2, 1, 0), state: new Map() },
} as unknown as HookRun;

test('items of an axis are taken in any order', () => {
  const x = nd(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3, 1]);
  expect(take(x, 1, [2, 0, 0, 1])).toEqual(nd(Float32Array.of(3, 1, 1, 2, 6, 4, 4, 5), [2, 4, 1]));
});

describe('windows', () => {
  test('what belongs to items is cut with them, what does not is left', async () => {
    const entry: PreparedEntry = {
      entry: { cross: zeros([1, 2, 3]) },
      encoded: {
        cross: { value: zeros([1, 2, 3]), along: 'tokens' },
        concat: { value: pattern([5, 1, 2, 2]), along: 'grid' },
      },
      mask: pattern([5, 2, 2]),
      startSigma: Infinity,
      endSigma: -Infinity,
    };
    const told: PreparedEntry[] = [];
    const next: Evaluate = async (lists, x) => {
      told.push(lists[0]![0]);
      return lists.map(() => x);
    };
    const x = pattern([5, 4, 2, 2]);
    const [same, nothing] = await contextWindows(options).evaluate(next, run)(
      [[entry], undefined],
      x,
      1,
    );
    expect(told.map(({ encoded }) => encoded['concat'].value)).toEqual([
      take(pattern([5, 1, 2, 2]), 0, [0, 1, 2]),
      take(pattern([5, 1, 2, 2]), 0, [2, 3, 4]),
    ]);
    expect(told[1].mask).toEqual(take(pattern([5, 2, 2]), 0, [2, 3, 4]));
    expect(told[1].encoded['cross'].value.shape).toEqual([1, 2, 3]);
    expect(told[1].entry).toBe(entry.entry);
    for (const result of [same, nothing]) {
      result.data.forEach((value, i) => expect(value).toBeCloseTo(x.data[i], 6));
    }
  });

  test('wrong numbers are told', async () => {
    const next: Evaluate = async (lists, x) => lists.map(() => x);
    const sampled = (change: Partial<Parameters<typeof contextWindows>[0]>) =>
      contextWindows({ ...options, ...change }).evaluate(next, run)([[]], zeros([5, 4, 2, 2]), 1);
    await expect(sampled({ axis: 4 })).rejects.toThrow('dim');
    await expect(sampled({ overlap: 3 })).rejects.toThrow('context_overlap');
    const long = { length: 8, overlap: 2, stride: 3, closedLoop: false };
    expect(() => windowSchedules.standard_uniform(20, long, 1)).toThrow('context_stride');
    // The reference has a window for every item but the second, and makes NaN of that one.
    const holed = { length: 5, overlap: 2, stride: 2, closedLoop: false };
    expect(() => windowSchedules.standard_uniform(11, holed, 2)).toThrow('no item altogether');
    const lists = { model: {} as Model, latent_retain_index_list: '0, x' };
    await expect(runNode(contextWindowNodes[0], lists)).rejects.toThrow('latent_retain_index_list');
  });

  test('a later node replaces the windows, and the noise of an earlier one', async () => {
    const [node] = contextWindowNodes;
    const [first] = (await runNode(node, { model: {}, freenoise: true })) as [Model];
    const [second] = (await runNode(node, { model: first })) as [Model];
    expect(first.guidance?.noise).toBeDefined();
    expect(second.guidance?.noise).toBeUndefined();
    expect(second.guidance?.evaluate).not.toBe(first.guidance?.evaluate);
  });
});
