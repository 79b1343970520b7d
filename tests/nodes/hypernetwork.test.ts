import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { detectFamily } from '../../engine/arch/families/detect.ts';
import { families } from '../../engine/arch/families/index.ts';
import { sliceAxis } from '../../engine/array/batch.ts';
import { type NDArray, nd, sizeOf, zeros } from '../../engine/array/nd.ts';
import { hypernetworkActivations } from '../../engine/patch/hypernetwork.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { openHypernetwork } from '../../engine/values/hypernetwork.ts';
import { type Model, diffusion } from '../../engine/values/model.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { sub } from '../../engine/weights/source.ts';
import { hypernetworkLoader } from '../../nodes/hypernetwork.ts';
import { compare } from '../golden/area.ts';
import { contextWith, runNode, withFolders } from '../golden/pictures/run-node.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomFloats, randomSource } from '../support/random-weights.ts';
import { runMemory } from '../support/run-memory.ts';

const fixtures = join(import.meta.dirname, '../fixtures/hypernetwork');

/** Computed by ComfyUI 0.3.64 and PyTorch on the golden UNet inpaint9, strength 0.8. */
const reference = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  readonly shape: readonly number[];
  readonly swish: readonly number[];
  readonly mish: readonly number[];
  /** Of 17 numbers from -4 to 4. */
  readonly activations: Readonly<Record<string, readonly number[]>>;
};

const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

const random = (shape: readonly number[], seed: number): NDArray =>
  nd(randomFloats(sizeOf(shape), seed), shape);

test('HypernetworkLoader prints like the reference', () => assertLikeReference(hypernetworkLoader));

test('the activations are torch’s', async () => {
  const session = await runtime.session('activations', () =>
    trace('activations', randomSource(), (g) => {
      const x = g.input('x', 'f32', ['n']);
      const all = Object.entries(hypernetworkActivations);
      // an output of its own: what an input gives must be computed
      return Object.fromEntries(all.map(([name, f]) => [name, f(x)]));
    }),
  );
  const x = nd(
    Float32Array.from({ length: 17 }, (_, i) => -4 + i / 2),
    [17],
  );
  const got = await session.run({ x });
  for (const [name, expected] of Object.entries(reference.activations)) {
    const tolerance = { atol: 1e-6, rtol: 1e-6 };
    const result = compare(name, got[name], { data: expected, shape: [17] }, tolerance);
    expect(result).toMatchObject({ pass: true });
  }
});

test.each(['swish', 'mish'] as const)('a %s file of torch.save changes the network', (name) =>
  withFolders(async (folders) => {
    const target = join(folders.directory('input'), '../models/hypernetworks');
    mkdirSync(target, { recursive: true });
    copyFileSync(join(fixtures, `${name}.pt`), join(target, `${name}.pt`));

    const path = join(ownGoldenDir('unet'), 'models/inpaint9.safetensors');
    const source = sub(await openSafetensors(path), 'model.diffusion_model.');
    const read = () => Promise.resolve(undefined);
    const detected = await detectFamily(families, { model: source, file: source, read });
    const model = { ...detected, source, patches: [] };
    const inputs = { model, hypernetwork_name: `${name}.pt`, strength: 0.8 };
    const [changed] = await runNode(hypernetworkLoader, inputs, contextWith(folders));

    const [rows, , height, width] = reference.shape;
    const whole = random([rows, 9, height, width], 101);
    const cross = random([rows, 77, 64], 102);
    const got = await diffusion(changed as Model, { runtime }).apply({
      x: sliceAxis(whole, 1, 0, 4),
      timesteps: Float32Array.of(500, 20),
      cond: { cross, concat: sliceAxis(whole, 1, 4, 9) },
      sigma: 1,
      parts: [{ list: 0, entry: { cross: zeros([1, 77, 64]) } }],
      run: runMemory(),
    });
    const expected = { data: reference[name], shape: reference.shape };
    const result = compare('eps', got, expected, { atol: 2e-5, rtol: 1e-4 });
    expect(result).toMatchObject({ pass: true });

    const [same] = await runNode(
      hypernetworkLoader,
      { ...inputs, strength: 0 },
      contextWith(folders),
    );
    expect(same).toBe(model);
  }),
);

test('a file that is no hypernetwork is refused', async () => {
  const path = join(ownGoldenDir('unet'), 'models/inpaint9.safetensors');
  await expect(openHypernetwork(path)).rejects.toThrow(/holds no hypernetwork/);
});
