import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ClipSpec, EncodedText } from '../../engine/arch/family.ts';
import { map } from '../../engine/array/elementwise.ts';
import { nd, sizeOf, zeros } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { ConditioningEntry } from '../../engine/sampling/conditioning.ts';
import type { TokenBatch } from '../../engine/text/token-batches.ts';
import type { Clip } from '../../engine/values/clip.ts';
import { openPhotoMaker } from '../../engine/values/photomaker.ts';
import type { TextEncoder } from '../../engine/values/text-encoder.ts';
import { memorySource } from '../../engine/weights/source.ts';
import { floatTensor } from '../../engine/weights/write.ts';
import { photoMakerEncode, photoMakerNodes } from '../../nodes/photomaker.ts';
import { compare } from '../golden/area.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomFloats } from '../support/random-weights.ts';

/**
 * Computed by ComfyUI 0.3.64: `weights` are [key, shape, scale] of a small PhotoMaker in the order of
 * their seeds, `token` the token at `place` of a prompt with the person in it.
 */
const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/photomaker.json'), 'utf8'),
) as {
  readonly weights: readonly (readonly [string, readonly number[], number])[];
  readonly place: number;
  readonly token: readonly number[];
};

const random = (shape: readonly number[], seed: number, scale = 1) =>
  nd(
    randomFloats(sizeOf(shape), seed).map((value) => value * Math.fround(scale)),
    shape,
  );

const maker = openPhotoMaker(
  memorySource(
    'photomaker',
    'photomaker',
    reference.weights.map(([key, shape, scale], i) => [
      `id_encoder.${key}`,
      floatTensor(random(shape, i + 1, scale).data, shape, 'F32'),
    ]),
  ),
);

test.each(photoMakerNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

/** A text encoder that gives the prompt of the reference and keeps the tokens it was given. */
function encoderOf(seen: TokenBatch[], hidden = random([1, 77, 32], 202)): Clip {
  const kind = {
    tokenize: (_: unknown, text: string): TokenBatch[] => {
      const words = text.split(' ');
      const ids = Array.from({ length: 77 }, (__, i) => (i <= words.length ? i : 999));
      return [{ ids, weights: ids.map(() => 1), wordIds: ids.map((id) => (id === 999 ? 0 : id)) }];
    },
    encode: (_: unknown, batches: readonly TokenBatch[]) => {
      seen.push(...batches);
      return Promise.resolve({ hidden, pooled: zeros([1, 4]) });
    },
  };
  const encoder = { kind, spec: { name: 'clip_l' } as ClipSpec } as unknown as TextEncoder;
  const setup = {
    encoders: [encoder.spec],
    join: ({ clip_l }: Readonly<Record<string, EncodedText | undefined>>) => ({
      cross: clip_l!.hidden,
      pooled: clip_l!.pooled,
    }),
  };
  return { setup, encoders: [encoder] };
}

describe('a person in a prompt', () => {
  const image = map(random([2, 40, 50, 3], 201, 0.5), (value) => value + 0.5);
  const context = { ...contextWith(), services: { runtime, folders: {} } };
  const encode = async (text: string, clip: Clip) => {
    const inputs = { photomaker: maker, image, clip, text };
    const [[entry]] = (await runNode(photoMakerEncode, inputs, context)) as ConditioningEntry[][];
    return entry;
  };

  test('the token before the word has it, the word itself is left out', async () => {
    const seen: TokenBatch[] = [];
    const clip = encoderOf(seen);
    const { cross } = await encode('photograph of a man as photomaker here', clip);
    const at = reference.place * 32;
    const token = { data: cross.data.slice(at, at + 32), shape: [32] };
    const expected = { data: reference.token, shape: [32] };
    expect(compare('token', token, expected, { atol: 1e-5, rtol: 1e-4 })).toMatchObject({
      pass: true,
    });
    const plain = random([1, 77, 32], 202).data;
    expect(cross.data.slice(0, at)).toEqual(plain.slice(0, at));
    expect(cross.data.slice(at + 32)).toEqual(plain.slice(at + 32));
    expect(seen[0].ids.slice(0, 9)).toEqual([0, 1, 2, 3, 4, 5, 7, 999, 999]);
    expect(seen[0].ids).toHaveLength(77);
  });

  test('a prompt without the word stays as it is', async () => {
    const { cross } = await encode('a man', encoderOf([]));
    expect(cross).toEqual(random([1, 77, 32], 202));
  });

  test('another width of text and other files are refused', async () => {
    const clip = encoderOf([], random([1, 77, 8], 1));
    await expect(encode('a photomaker', clip)).rejects.toThrow(/text of width 32.*width 8/);
    expect(() => openPhotoMaker(memorySource('x', 'x', []))).toThrow(/it holds no PhotoMaker/);
  });
});
