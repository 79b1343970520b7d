/** Control networks on a small stage C, of pictures and of latents. Oracle: ComfyUI 0.3.64, its own classes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { families } from '../../../engine/arch/families/index.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import { withControl } from '../../../engine/values/control.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { loadControlNet } from '../../../engine/values/load-control.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { networkTensors } from '../../../engine/values/save-model.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { sub } from '../../../engine/weights/source.ts';
import { writeSafetensors } from '../../../engine/weights/write.ts';
import { compare } from '../../golden/area.ts';
import { openCase } from '../../golden/open-case.ts';
import { runMemory } from '../../support/run-memory.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/cascade');
const fixture = (name: string): string => join(fixtures, `${name}.safetensors`);
const golden = await openCase(fixture('stage-c-controlled'));
const source = sub(await openSource(fixture('stage-c-controlled')), 'w.');
const model = await diffusionModelOf(source, families);
const runtime = createRuntime({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'noodle-control-'));
afterAll(async () => {
  await runtime.unloadAll();
  rmSync(folder, { recursive: true });
});

/** The weights of a fixture as a file of the loader's. */
async function netOf(name: string) {
  const weights = sub(await openSource(fixture(name)), 'w.');
  const path = join(folder, `${name}.safetensors`);
  await writeSafetensors(path, networkTensors({ source: weights, patches: [] }));
  return loadControlNet(path);
}

async function drawn(entry: ConditioningEntry) {
  const x = golden.array('in.x');
  return diffusion(model, { runtime }).apply({
    x,
    timesteps: golden.array('in.r').data,
    sigma: 5,
    cond: {
      cross: golden.array('in.context'),
      pooled: golden.array('in.pooled'),
      pictures: golden.array('in.pictures'),
    },
    parts: [{ list: 0, entry }],
    run: runMemory(),
  });
}

const cross = golden.array('in.context');

test.each(['plain', 'picture', 'latent'])('stage C with a hint: %s', async (hint) => {
  let entry: ConditioningEntry = { cross };
  if (hint !== 'plain') {
    const net = await netOf(`control-${hint}`);
    expect(net.kind).toBe('cascade-controlnet');
    [[entry]] = withControl([[entry]], { net, image: golden.array(`in.${hint}`), strength: 0.125 });
  }
  const expected = golden.array(`out.${hint}`);
  const { pass, maxError } = compare(hint, await drawn(entry), expected, golden.tolerance);
  expect(pass, `differs by ${maxError}`).toBe(true);
});

test('a hint without the mask that a network reads is refused', async () => {
  const net = await netOf('control-inpaint');
  const image = golden.array('in.picture');
  const [[entry]] = withControl([[{ cross }]], { net, image, strength: 1 });
  await expect(drawn(entry)).rejects.toThrow('the hint picture: expected 4 channels, got 3');
});
