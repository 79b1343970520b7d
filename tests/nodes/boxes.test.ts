import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import type { NodeContext, NodeDefinition } from '../../engine/graph/definition.ts';
import { readBoxes } from '../../engine/values/boxes.ts';
import { boxNodes, cropByBBoxes, drawBBoxes } from '../../nodes/boxes.ts';
import { poseNodes, sdposeDrawKeypoints, sdposeFaceBBoxes } from '../../nodes/pose.ts';
import { type BytePicture, expectPicture } from '../support/byte-picture.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';
import { assertLikeReference } from '../support/object-info.ts';

type Case = BytePicture & { inputs: Record<string, unknown>; data: number[] };

/** Computed by the reference (0.33). */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/boxes-0.33.json', import.meta.url), 'utf8'),
) as Record<string, Case>;
const named = (start: string): [string, Case][] =>
  Object.entries(reference).filter(([name]) => name.startsWith(start));

const context = { progress: () => undefined, services: {} } as unknown as NodeContext;
async function run<T = NDArray>(node: NodeDefinition, inputs: Record<string, unknown>): Promise<T> {
  return ((await node.run(inputs, context)) as T[])[0];
}

it.each([...boxNodes, ...poseNodes].map((node) => [node.name, node] as const))(
  '%s prints as the reference',
  (_, node) => assertLikeReference(node),
);

describe('CropByBBoxes', () => {
  const image = pattern([3, 30, 40, 3]);
  const bboxes = [
    [
      { x: 3, y: 4, width: 11, height: 9 },
      { x: 10.7, y: 2.5, width: 9.9, height: 8 },
    ],
    [],
    [{ x: 50, y: 4, width: 11, height: 9 }],
  ];
  const inputs = { image, bboxes, output_width: 8, output_height: 6 };

  it.each(named('crop '))('%s', async (name, theirs) => {
    const [, padding, keep_aspect] = name.split(' ');
    const ours = await run(cropByBBoxes, { ...inputs, padding: Number(padding), keep_aspect });
    expectArray(ours, theirs);
  });

  it('leaves pictures alone where there are no boxes', async () => {
    for (const none of [[], [[]]]) {
      const whole = { ...inputs, bboxes: none, padding: 0, keep_aspect: 'pad' };
      expect(await run(cropByBBoxes, whole)).toBe(image);
    }
  });

  it('refuses what is no box', async () => {
    const wrong = { ...inputs, bboxes: [[{ x: 1 }]], padding: 0, keep_aspect: 'pad' };
    await expect(run(cropByBBoxes, wrong)).rejects.toThrow('boxes with x, y, width and height');
  });

  it('takes more boxes than a function takes arguments', async () => {
    const many = Array.from({ length: 200_000 }, () => ({ x: 3, y: 4, width: 11, height: 9 }));
    const options = { ...inputs, padding: 0, keep_aspect: 'pad' };
    const of = (boxes: unknown[]) => run(cropByBBoxes, { ...options, bboxes: [boxes] });
    expect(await of(many)).toEqual(await of(many.slice(0, 1)));
    expect((await run(drawBBoxes, { bboxes: many })).shape).toEqual([1, 13, 14, 3]);
  });

  it('reads no number beyond all numbers out of JSON', () => {
    const text = '[{"x": 1e999, "y": 2, "width": 3, "height": 4}]';
    expect(readBoxes(text, 9, 9)).toEqual([{ x: 0, y: 2, width: 3, height: 4 }]);
  });
});

describe('SDPose', () => {
  const keypoints = reference.pose;

  it.each(named('draw '))('draws %s', async (_, theirs) => {
    expectPicture(await run(sdposeDrawKeypoints, { keypoints, ...theirs.inputs }), theirs);
  });

  it.each(named('faces '))('finds %s', async (name, theirs) => {
    const [, scale, square] = name.split(' ');
    const inputs = { keypoints, scale: Number(scale), force_square: square === 'True' };
    expect(await run(sdposeFaceBBoxes, inputs)).toEqual(theirs);
  });

  it('draws nothing for no people, and refuses what is no pose', async () => {
    expect((await run(sdposeDrawKeypoints, { keypoints: [] })).shape).toEqual([1, 64, 64, 3]);
    const huge = [{ canvas_width: 1e9, canvas_height: 2, people: [] }];
    await expect(run(sdposeDrawKeypoints, { keypoints: huge })).rejects.toThrow('keypoints');
    const short = [{ canvas_width: 9, canvas_height: 9, people: [{ pose_keypoints_2d: [1] }] }];
    await expect(run(sdposeDrawKeypoints, { keypoints: short })).rejects.toThrow(
      'pose_keypoints_2d',
    );
    // Beyond fp32.
    const face_keypoints_2d = [1, 1, 1, 1e39, 5, 1];
    const far = [{ canvas_width: 9, canvas_height: 9, people: [{ face_keypoints_2d }] }];
    await expect(async () => run(sdposeFaceBBoxes, { keypoints: far, scale: 1 })).rejects.toThrow(
      'face_keypoints_2d',
    );
  });
});
