import { expect, test } from 'vitest';
import type { Family } from '../../../engine/arch/family.ts';
import { sd1 } from '../../../engine/arch/families/sd1.ts';
import { sdxl } from '../../../engine/arch/families/sdxl.ts';
import type { Runtime } from '../../../engine/runtime/runtime.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { memorySource } from '../../../engine/weights/source.ts';

const model = (family: Family) =>
  diffusion(
    {
      family,
      config: {},
      source: memorySource('none', 'none', []),
      patches: [],
      sampling: { prediction: 'eps', schedule: {} },
      extraChannels: 'none',
    },
    { runtime: {} as Runtime },
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
