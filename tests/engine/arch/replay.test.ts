/**
 * Process replay: what the architectures trace to and what that is lowered to, as text. A change of
 * the tensor layer or the lowering that is not meant to change any graph leaves these files as they
 * are; one that is meant to shows here what it changes (`npx vitest run -u` writes them anew).
 */
import { describe, expect, it } from 'vitest';
import { lower } from '../../../engine/onnx/lower.ts';
import { portable } from '../../../engine/onnx/portable.ts';
import { printModel } from '../../../engine/onnx/print.ts';
import { providers } from '../../../engine/runtime/providers.ts';
import { printProgram } from '../../../engine/tensor/print.ts';
import { replayPrograms } from '../../support/programs.ts';

const replay = new URL('../../fixtures/replay/', import.meta.url);

describe.each(Object.entries(replayPrograms))('%s', (name, build) => {
  const file = (kind: string): string => new URL(`${name}.${kind}.txt`, replay).pathname;

  it('traces to the same program', async () => {
    await expect(printProgram(await build())).toMatchFileSnapshot(file('program'));
  });

  it.each([
    ['cpu', { ...providers.cpu, block: 16 }],
    ['portable', { table: portable }],
    ['webgpu', providers.webgpu],
  ] as const)('lowers to the same graph for %s', async (provider, target) => {
    const model = printModel(lower(await build(), target));
    await expect(model).toMatchFileSnapshot(file(provider));
  });
});
