/** The default workflow on an adapter, from words to a picture. Oracle: the processor's own picture. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { psnr } from '../../engine/array/psnr.ts';
import { readPicture } from '../../cli/side-by-side.ts';
import { precisionsOf } from '../../engine/runtime/precision.ts';
import type { DeviceKind } from '../../engine/runtime/providers.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { tinyScenes } from '../support/draw-scene.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';
import { onAdapter } from './adapter.ts';

const installation = createInstallation();
installation.add('models/checkpoints', [tinyScenes]);
afterAll(() => installation.remove());

/** Few steps: what compiles, and what may go wrong, is in the first. */
const STEPS = 4;

async function draw(kind: DeviceKind, precision: string): Promise<Uint8Array> {
  const text = await readFile(join(ownGoldenDir('samples'), '02-red-circle.json'), 'utf8');
  const prompt = JSON.parse(text) as Record<string, { inputs: Record<string, unknown> }>;
  prompt['3'].inputs.steps = STEPS;
  const { rowFor } = precisionsOf(
    { id: kind, kind, inSteps: true },
    { all: { names: [precision] } },
  );
  const runtime = createRuntime({ threads: 2, rowFor });
  const { base } = installation;
  const { files } = await runWorkflow(JSON.stringify(prompt), { base, runtime });
  await runtime.unloadAll();
  return (await readPicture(files.get('9')![0])).data;
}

/** The least likeness, in dB, to the processor's picture. */
const least = { fp32: 45, fp16: 35 };

onAdapter((precision) => {
  it('draws the picture of the processor', async () => {
    const expected = await draw('cpu', 'fp32');
    const likeness = psnr(await draw('webgpu', precision), expected, 255);
    expect(likeness).toBeGreaterThan(least[precision]);
  });
});
