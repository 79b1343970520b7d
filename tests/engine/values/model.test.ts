import { expect, test } from 'vitest';
import { zeros } from '../../../engine/array/nd.ts';
import type { Family } from '../../../engine/arch/family.ts';
import { sd1 } from '../../../engine/arch/families/sd1.ts';
import { qwenImage } from '../../../engine/arch/families/qwen-image.ts';
import { sdxl } from '../../../engine/arch/families/sdxl.ts';
import type { Runtime } from '../../../engine/runtime/runtime.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { memorySource } from '../../../engine/weights/source.ts';
import { runMemory } from '../../support/run-memory.ts';

const model = (family: Family, config: unknown = {}, runtime = {} as Runtime) =>
  diffusion(
    {
      family,
      config,
      source: memorySource('none', 'none', []),
      patches: [],
      sampling: { prediction: 'eps', schedule: {} },
      extraChannels: 'none',
    },
    { runtime },
  );

test.each([
  ['a small picture', sd1, 16, 16],
  ['512 pixels', sd1, 64, 6],
  ['768 pixels', sd1, 96, 2],
  ['1024 pixels', sd1, 128, 1],
  ['a family that needs less', sdxl, 96, 3],
  ['more than fits', sdxl, 512, 1],
])(
  'rows of one call follow the cells and the hunger of the family: %s',
  (_, family, side, rows) => {
    expect(model(family).bestBatch([4, side, side])).toBe(rows);
  },
);

test.each([
  ['a UNet looks at it', sd1, 'tokens'],
  ['in a transformer it is part of the sequence', qwenImage, 'row'],
])('whether texts may be repeated to a common length: %s', async (_, family, along) => {
  const config = { contextWidth: 4 };
  const entry = { cross: zeros([1, 3, 4]) };
  const run = { latentShape: [1, 16, 1, 8, 8], noise: zeros([1]) };
  const { cross } = await model(family, config).encodeConditioning(entry, run);
  expect(cross.along).toBe(along);
});

test('tells the runtime whether its values overflow in half precision', async () => {
  const told = async (family: Family): Promise<unknown> => {
    let needs: unknown;
    const session: Runtime['session'] = (_key, _build, need) => {
      needs = need;
      return Promise.reject(new Error('enough was told'));
    };
    const call = {
      x: zeros([1, 4, 2, 2]),
      timesteps: Float32Array.of(1),
      cond: {},
      sigma: 1,
      parts: [{ list: 0, entry: { cross: zeros([1, 1, 8]) } }],
      run: runMemory(),
    };
    await expect(model(family, {}, { session } as Runtime).apply(call)).rejects.toThrow('enough');
    return needs;
  };
  expect(await told(sd1)).toMatchObject({ fullPrecision: undefined });
  expect(await told(qwenImage)).toMatchObject({ fullPrecision: true });
});
