import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodeModel } from '../../../engine/onnx/encode.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { memoryOf } from '../../../engine/weights/source.ts';
import { createSession } from '../../../engine/runtime/ort.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { randomSource } from '../../support/random-weights.ts';

test('configuration reaches ONNX Runtime: a weight stays narrow when it is told not to fold', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'noodle-ort-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const weights = randomSource({ weight: { shape: [8, 64], dtype: 'F16' } });
  const program = trace('linear', weights, ({ input, weights: w }) => ({
    y: linear(w, input('x', 'f32', ['n', 64])),
  }));
  const model = encodeModel(lower(program), ({ entry }) => memoryOf(entry));
  /** Whether the model that runs has a Cast of the weight. */
  const casts = async (config: Record<string, string>): Promise<boolean> => {
    const path = join(folder, 'optimized.onnx');
    const options = { optimizedModelFilePath: path };
    const session = await createSession(model, { optimization: 'basic', config, options });
    await session.release();
    return (await readFile(path)).includes('saturate'); // an attribute that only Cast has
  };
  expect(await casts({})).toBe(false);
  expect(await casts({ 'optimization.disable_specified_optimizers': 'ConstantFolding' })).toBe(
    true,
  );
});
