import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type NDArray, full } from '../../engine/array/nd.ts';
import type { NodeContext, NodeDefinition, NodeOutput } from '../../engine/graph/definition.ts';
import { createBoundingBoxes, drawBBoxes } from '../../nodes/boxes.ts';
import { type BytePicture, bytesOf, expectPicture } from '../support/byte-picture.ts';

type Case = BytePicture & {
  readonly given: unknown;
  readonly preview: BytePicture;
  readonly bboxes: unknown;
  readonly elements: unknown;
  readonly ui: Record<string, unknown>;
};

/** Computed by the reference (0.33). */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/drawn-boxes-0.33.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

async function run(
  node: NodeDefinition,
  inputs: Record<string, unknown>,
): Promise<{ result: readonly unknown[]; ui?: unknown }> {
  const given = await node.run(inputs, {} as NodeContext);
  return (Array.isArray(given) ? { result: given as unknown[] } : (given as NodeOutput)) as {
    result: readonly unknown[];
  };
}

/** The part of pixels that differ: letters are not hinted, all else is equal. */
function differing(ours: NDArray, theirs: BytePicture): number {
  expect(ours.shape).toEqual(theirs.shape);
  const bytes = bytesOf(theirs);
  return bytes.filter((v, i) => Math.abs(ours.data[i] * 255 - v) > 2).length / bytes.length;
}

describe('DrawBBoxes', () => {
  it('draws what was found as the reference does', async () => {
    const { given: bboxes } = reference.found;
    const image = full([2, 24, 32, 3], 0.4);
    const [ours] = (await run(drawBBoxes, { bboxes, image })).result as NDArray[];
    expectPicture(ours, reference.found);
  });

  it('makes a picture where there is none', async () => {
    const bboxes = reference['found alone'].given;
    const [ours] = (await run(drawBBoxes, { bboxes })).result as NDArray[];
    expectPicture(ours, reference['found alone']);
  });

  it('writes the names of known things', async () => {
    const { given: bboxes } = reference.labelled;
    const image = full([1, 50, 100, 3], 0);
    const [ours] = (await run(drawBBoxes, { bboxes, image })).result as NDArray[];
    const theirs = bytesOf(reference.labelled);
    const at = (i: number): [x: number, y: number] => [
      Math.floor(i / 3) % 100,
      Math.floor(i / 300),
    ];
    // Letters are not hinted: outside of the line of text all is equal, in it there is as much ink.
    const isText = (i: number): boolean => {
      const [x, y] = at(i);
      return x >= 8 && x < 60 && y >= 8 && y < 20;
    };
    const sum = (values: ArrayLike<number>): number =>
      Array.from(values).reduce((all, v, i) => (isText(i) ? all + v : all), 0);
    const bytes = ours.data.map((v) => Math.round(v * 255));
    expect(bytes.findIndex((v, i) => !isText(i) && v !== theirs[i])).toBe(-1);
    expect(Math.abs(sum(bytes) / sum(theirs) - 1)).toBeLessThan(0.15);
  });

  it('refuses boxes without an end, and grey pictures', async () => {
    const far = [{ x: 1e9, y: 0, width: 1, height: 1 }];
    await expect(run(drawBBoxes, { bboxes: far })).rejects.toThrow('boxes that end');
    const image = full([1, 4, 4, 1], 0);
    await expect(run(drawBBoxes, { bboxes: [], image })).rejects.toThrow('3 or 4 channels');
  });
});

describe('CreateBoundingBoxes', () => {
  const size = { width: 256, height: 128 };

  it('takes elements that come in', async () => {
    const { given: bboxes, ...theirs } = reference.elements;
    const { result, ui } = await run(createBoundingBoxes, { ...size, bboxes, editor_state: [] });
    expect(JSON.stringify(result.slice(1))).toBe(JSON.stringify([theirs.bboxes, theirs.elements]));
    expect(ui).toEqual(theirs.ui);
    expect(differing(result[0] as NDArray, theirs.preview)).toBeLessThan(0.02);
  });

  it('keeps what was drawn while the same comes in', async () => {
    const { given: editor_state, ...theirs } = reference.state;
    const last_incoming = reference.elements.ui.input_bboxes;
    const { result } = await run(createBoundingBoxes, {
      ...size,
      editor_state,
      last_incoming,
      background: full([1, 64, 96, 3], 0.7),
      bboxes: reference.elements.given,
    });
    expect(result.slice(1)).toEqual([theirs.bboxes, theirs.elements]);
    expect(differing(result[0] as NDArray, theirs.preview)).toBeLessThan(0.02);
  });

  it('refuses what is no box', async () => {
    for (const bboxes of ['{', '[1]', [{ bbox: [1, 2] }]]) {
      const running = run(createBoundingBoxes, { ...size, editor_state: [], bboxes });
      await expect(running).rejects.toThrow('bboxes');
    }
  });
});
