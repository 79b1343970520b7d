import { expect, it } from 'vitest';
import { printedLine } from '../../../engine/worker/printed-line.ts';

it('what an engine prints is information', () => {
  expect(printedLine('loading a pack')).toEqual(['INFO', 'loading a pack']);
});

it('a device without memory for weights, with which zeros are computed, is a warning with a remedy', () => {
  const [level, text] = printedLine('[E:onnxruntime:] WebGPU device error(3): Out of memory');
  expect(level).toBe('WARNING');
  expect(text).toContain('ran out of memory and pictures may be wrong: --lowvram, or --device cpu');
});
