/** SigLIP 2's encoder of pictures of any shape. */
import { expect, test } from 'vitest';
import type { NDArray } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { encodePictures, requireClipVision } from '../../../engine/values/clip-vision.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { sub } from '../../../engine/weights/source.ts';

const file = new URL('../../fixtures/siglip2.safetensors', import.meta.url).pathname;

// oracle: ComfyUI 0.33's class on a random model of three layers with 25 places
test.each(['wide', 'small'])('a %s picture', async (name) => {
  const source = await openSafetensors(file);
  const array = async (key: string): Promise<NDArray> => {
    const entry = source.tensors.get(`${name}.${key}`)!;
    return { data: await readFloats(entry), shape: entry.shape };
  };
  const vision = requireClipVision(sub(source, 'model.'));
  const seen = await encodePictures(vision, await array('in'), 'center', {
    runtime: createRuntime(),
  });
  expect(seen.grid).toEqual([...(await array('grid')).data]);
  for (const key of ['last', 'penultimate'] as const) {
    const expected = await array(key);
    expect(seen[key].shape).toEqual(expected.shape);
    const errors = expected.data.map((value, i) => Math.abs(value - seen[key].data[i]));
    expect(Math.max(...errors)).toBeLessThan(2e-4);
  }
});
