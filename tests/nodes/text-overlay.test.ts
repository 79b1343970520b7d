import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type NDArray, full } from '../../engine/array/nd.ts';
import type { NodeContext } from '../../engine/graph/definition.ts';
import { faceOf, wrap } from '../../engine/media/font/text.ts';
import { textOverlay } from '../../nodes/text-overlay.ts';
import { type BytePicture, bytesOf } from '../support/byte-picture.ts';
import { assertLikeReference } from '../support/object-info.ts';

type Case = BytePicture & { inputs: Record<string, unknown> };

/** Drawn by the reference (0.33) on grey. */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/text-0.33.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

const overlay = async (images: NDArray, inputs: Record<string, unknown>): Promise<NDArray> =>
  ((await textOverlay.run({ images, ...inputs }, {} as NodeContext)) as NDArray[])[0];

/** Where the picture is not grey, and how much it differs from grey in all. */
function ink(data: ArrayLike<number>, [, height, width, channels]: readonly number[]) {
  const box = { left: width, top: height, right: 0, bottom: 0 };
  let amount = 0;
  for (let i = 0; i < height * width * channels; i++) {
    const difference = Math.abs(data[i] - 128);
    amount += difference;
    if (difference < 32) continue;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width);
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return { box, amount };
}

describe('TextOverlay', () => {
  it('prints as the reference', () => assertLikeReference(textOverlay));

  // The same font, not hinted: letters may be a pixel off, and lines a pixel a word.
  it.each(Object.entries(reference))(
    'draws %s text where the reference does',
    async (_, theirs) => {
      const ours = await overlay(full(theirs.shape, 0.5), theirs.inputs);
      const a = ink(
        ours.data.map((v) => v * 255),
        theirs.shape,
      );
      const b = ink(bytesOf(theirs), theirs.shape);
      for (const side of ['top', 'bottom'] as const) {
        expect(Math.abs(a.box[side] - b.box[side]), side).toBeLessThanOrEqual(1);
      }
      for (const side of ['left', 'right'] as const) {
        expect(Math.abs(a.box[side] - b.box[side]), side).toBeLessThanOrEqual(5);
      }
      expect(Math.abs(a.amount / b.amount - 1)).toBeLessThan(0.15);
    },
  );

  it('leaves pictures alone under blank texts, keeps alpha, makes colours of grey', async () => {
    const { inputs } = reference.plain;
    const grey = full([2, 20, 40, 1], 0.25);
    expect(await overlay(grey, { ...inputs, text: ' \n' })).toBe(grey);
    expect((await overlay(grey, inputs)).shape).toEqual([2, 20, 40, 3]);
    const alpha = await overlay(full([1, 20, 40, 4], 0.25), inputs);
    expect(alpha.data.filter((_, i) => i % 4 === 3).every((v) => v === 0.25)).toBe(true);
    expect(Math.max(...alpha.data)).toBeGreaterThan(0.5);
  });

  it('refuses what is no colour', async () => {
    const inputs = { ...reference.plain.inputs, color: 'sky' };
    await expect(overlay(full([1, 20, 40, 3], 0), inputs)).rejects.toThrow('color');
  });

  it('wraps at words, and cuts those that are too long', () => {
    const face = faceOf(20);
    const most = face.width('abcabc');
    expect(wrap('ab abcabcabc b\n\nc', face, most, 'cut')).toEqual([
      'ab',
      'abcabc',
      'abc b',
      '',
      'c',
    ]);
    expect(wrap('ab abcabcabc b', face, most, 'keep')).toEqual(['ab', 'abcabcabc', 'b']);
  });

  it('is quick with long texts', async () => {
    const text = 'w'.repeat(20_000);
    await overlay(full([1, 64, 64, 3], 0), { ...reference.plain.inputs, text });
  });
});
