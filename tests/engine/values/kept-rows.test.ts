import { join } from 'node:path';
import { expect, test } from 'vitest';
import { families } from '../../../engine/arch/families/index.ts';
import { type Runtime, createRuntime } from '../../../engine/runtime/runtime.ts';
import { encodePrompt, encodePromptTokens } from '../../../engine/values/clip.ts';
import { loadCheckpoint } from '../../../engine/values/load-checkpoint.ts';

const checkpoint = join(import.meta.dirname, '../../../models/checkpoints/tiny-scenes.safetensors');

/** A runtime that counts the rows which come to its networks. */
function counting(): { runtime: Runtime; rows: number[] } {
  const inner = createRuntime({ threads: 2 });
  const rows: number[] = [];
  const runtime: Runtime = {
    ...inner,
    session: async (key, build) => {
      const session = await inner.session(key, build);
      return {
        run: (inputs, options) => {
          rows.push(inputs.tokens.shape[0]);
          return session.run(inputs, options);
        },
      };
    },
  };
  return { runtime, rows };
}

const noFiles = { embedding: () => undefined, vocabulary: () => undefined };
const long = `${'a red boat on the sea, '.repeat(12)}, at night`;

test('rows of tokens that are known are not encoded again, and come out the same', async () => {
  const { clip } = await loadCheckpoint(checkpoint, families);
  const { runtime, rows } = counting();
  const run = { runtime, folders: noFiles };
  const prompts = ['a (red:1.3) boat', '', 'a (blue:0.5) house', long, `${long} and fog`];
  const encoded = [];
  for (const prompt of prompts) encoded.push(await encodePrompt(clip, prompt, run));
  // the first prompt and the empty one, the third, both parts of the fourth, the second of the fifth
  expect(rows).toEqual([1, 1, 1, 1, 1, 1]);
  for (const [i, prompt] of prompts.entries()) {
    const fresh = (await loadCheckpoint(checkpoint, families)).clip;
    expect(await encodePrompt(fresh, prompt, run)).toEqual(encoded[i]);
  }
  await runtime.unloadAll();
});

test('what was given out may be written into', async () => {
  const { clip } = await loadCheckpoint(checkpoint, families);
  const { runtime } = counting();
  const run = { runtime, folders: noFiles };
  const first = await encodePrompt(clip, 'a tree', run);
  const [cross, pooled] = [first.cross.data.slice(), first.pooled!.data.slice()];
  first.cross.data.fill(0);
  first.pooled!.data.fill(0);
  const second = await encodePrompt(clip, 'a tree', run);
  expect([second.cross.data, second.pooled!.data]).toEqual([cross, pooled]);
  await runtime.unloadAll();
});

test('rows with vectors are encoded each time', async () => {
  const { clip } = await loadCheckpoint(checkpoint, families);
  const { runtime, rows } = counting();
  const [{ spec, config, special }] = clip!.encoders as never as {
    spec: { name: string };
    config: { width: number };
    special: { start: number; end: number };
  }[];
  const encode = (value: number) => {
    const vector = new Float32Array(config.width).fill(value);
    const ids = [special.start, { vector }, ...new Array<number>(75).fill(special.end)];
    const weights = ids.map(() => 1);
    return encodePromptTokens(
      clip!,
      { [spec.name]: [{ ids, weights, wordIds: weights }] },
      { runtime },
    );
  };
  const [one, other] = [await encode(0.5), await encode(-0.5)];
  expect(rows).toEqual([1, 1]);
  expect(one.cross.data).not.toEqual(other.cross.data);
  await runtime.unloadAll();
});
