import { expect, test } from 'vitest';
import {
  type Keyframe,
  addKeyframe,
  combineHooks,
  createHook,
  hookRanges,
  interpolate,
  keyframeCursor,
  keyframesOf,
  withKeyframes,
} from '../../engine/values/hook-group.ts';
import { hookConditioningNodes } from '../../nodes/hook-conditioning.ts';
import { hookNodes } from '../../nodes/hooks.ts';
import { assertLikeReference } from '../support/object-info.ts';

/** Computed with ComfyUI 0.3.64 (comfy/hooks.py). */
const REFERENCE = {
  easeIn: [0.10000000149011612, 0.18888890743255615, 0.4555554986000061, 0.9000000357627869],
  easeOut: [0.10000000149011612, 0.5444445013999939, 0.8111110925674438, 0.9000000357627869],
  easeInOut: [0.10000000149011612, 0.30000001192092896, 0.699999988079071, 0.9000000357627869],
  linear: [0.10000000149011612, 0.36666664481163025, 0.6333333253860474, 0.8999999761581421],
  walks: [
    {
      frames: [
        [0.5, 0.0, 1],
        [0.9, 0.5, 1],
      ],
      strengths: [0.5, 0.5, 0.5, 0.9, 0.9, 0.9],
    },
    {
      frames: [
        [1.0, 0.0, 1],
        [0.1, 0.2, 2],
        [0.2, 0.3, 1],
        [0.3, 0.35, 0],
      ],
      strengths: [1.0, 0.1, 0.1, 0.2, 0.3, 0.3],
    },
    {
      frames: [
        [0.4, 0.3, 3],
        [0.7, 0.1, 0],
        [0.9, 0.9, 1],
      ],
      strengths: [0.7, 0.7, 0.4, 0.4, 0.4, 0.9],
    },
    {
      frames: [
        [1, 0, 0],
        [2, 0, 0],
        [3, 0.4, 4],
        [4, 0.6, 1],
      ],
      strengths: [2, 2, 3, 3, 3, 3],
    },
  ],
  ranges: [
    [0.0, 0.25, 0.2, 1],
    [0.25, 0.5, 0.2, 1],
    [0.5, 0.75, 0.8, 1],
    [0.75, 1.0, 0.8, 0],
  ],
} as {
  readonly easeIn: number[];
  readonly easeOut: number[];
  readonly easeInOut: number[];
  readonly linear: number[];
  readonly walks: { readonly frames: [number, number, number][]; readonly strengths: number[] }[];
  readonly ranges: number[][];
};

test.each([...hookNodes, ...hookConditioningNodes].map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const hook = () =>
  createHook({ weights: { kind: 'lora', entries: [] }, strengthModel: 1, strengthClip: 1 });
const frame = (strength: number, startPercent: number, guaranteeSteps = 1): Keyframe => ({
  strength,
  startPercent,
  guaranteeSteps,
});

test('groups hold every hook once; keyframes make no other hook of it', () => {
  const [a, b] = [hook(), hook()];
  const both = combineHooks([a, undefined, b])!;
  expect(both.hooks).toHaveLength(2);
  expect(combineHooks([both, withKeyframes(a, [frame(0.5, 0)])])!.hooks).toEqual(both.hooks);
  expect(combineHooks([null, a])).toBe(a);
  expect(combineHooks([])).toBeUndefined();
});

test('interpolated strengths are the numbers of the reference', () => {
  expect(interpolate(0.1, 0.9, 4, 'ease_in')).toEqual(REFERENCE.easeIn);
  expect(interpolate(0.1, 0.9, 4, 'ease_out')).toEqual(REFERENCE.easeOut);
  expect(interpolate(0.1, 0.9, 4, 'ease_in_out')).toEqual(REFERENCE.easeInOut);
  expect(interpolate(0.1, 0.9, 4, 'linear')).toEqual(REFERENCE.linear);
});

test('keyframes are gone through as the noise falls, each for its guaranteed steps', () => {
  const toSigma = (percent: number): number => (percent <= 0 ? 1e9 : 10 * (1 - percent));
  const sigmas = [10, 8, 6, 4, 2, 1];
  for (const { frames, strengths } of REFERENCE.walks) {
    const keyframes = frames.reduce<readonly Keyframe[]>(
      (list, [strength, start, steps]) => addKeyframe(list, frame(strength, start, steps)),
      [],
    );
    const cursor = keyframeCursor(keyframes, toSigma);
    expect(sigmas.map((sigma) => cursor.at(sigma, 10))).toEqual(strengths);
    expect(cursor.at(1, 10)).toBe(strengths.at(-1)); // asked again at one level, it stays
  }
  expect(keyframeCursor([], toSigma).at(5, 10)).toBe(1);
});

test('a schedule falls into parts in which all strengths stay the same', () => {
  const a = withKeyframes(hook(), [frame(0.2, 0), frame(0.2, 0.3), frame(0.8, 0.5)]);
  const b = withKeyframes(hook(), keyframesOf([1, 0], { start: 0.25, end: 0.75 }));
  const ranges = hookRanges(combineHooks([a, b])!).map(({ start, end, strengths }) => [
    start,
    end,
    ...strengths.values(),
  ]);
  expect(ranges).toEqual(REFERENCE.ranges);
});
