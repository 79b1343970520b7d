/**
 * Stable Zero123 from its file to sampled latents. Oracle: ComfyUI 0.3.64 on a small network of random
 * numbers, with an autoencoder that only picks pixels.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import { type NDArray, full, nd, sizeOf } from '../../engine/array/nd.ts';
import type { Conditioning, NodeDefinition } from '../../engine/node.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import type { Folders } from '../../engine/store/folders.ts';
import type { ClipVision } from '../../engine/values/clip-vision.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Latent } from '../../engine/values/media.ts';
import { type Model, diffusion } from '../../engine/values/model.ts';
import type { Vae } from '../../engine/values/vae.ts';
import { readBytes } from '../../engine/weights/read.ts';
import { floatTensor, writeTensors } from '../../engine/weights/write.ts';
import { imageOnlyCheckpointSave } from '../../nodes/model-saving.ts';
import { imageOnlyCheckpointLoader } from '../../nodes/vision.ts';
import { zero123Conditioning, zero123Nodes } from '../../nodes/zero123.ts';
import { compare } from '../golden/area.ts';
import { openCase } from '../golden/open-case.ts';
import { contextWith, runNode, withFolders } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { randomFloats } from '../support/random-weights.ts';

interface Case {
  readonly name: string;
  readonly node: string;
  readonly inputs: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler_name: string;
  readonly scheduler: string;
}

interface Params {
  /** Of all tensors of the checkpoint. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly Case[];
}

const golden = await openCase<Params>(join(import.meta.dirname, '../fixtures/zero123.safetensors'));
const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

test.each(zero123Nodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

/** The weights that the reference had: about 1 in norms, small elsewhere. */
function weights() {
  const tensors = Object.entries(golden.params.shapes).map(([key, shape], i) => {
    const values = randomFloats(sizeOf(shape), i + 1);
    const root = Math.fround(Math.sqrt(sizeOf(shape.slice(1))));
    const isNorm = shape.length === 1 && key.endsWith('.weight');
    const data = values.map((x) => (shape.length > 1 ? x / root : x * 0.25 + (isNorm ? 1 : 0)));
    return [key, floatTensor(data, shape)] as const;
  });
  return new Map(tensors);
}

/** Every eighth pixel, and the mean of its colours. */
const picking: Vae = {
  kind: {
    detect: () => undefined,
    bytes: () => 1,
    async encode(_, { data, shape: [batch, , height, width] }) {
      const [rows, columns] = [height / 8, width / 8];
      const at = (c: number, y: number, x: number) => data[(c * height + 8 * y) * width + 8 * x];
      const out = new Float32Array(4 * rows * columns);
      for (let i = 0; i < rows * columns; i++) {
        const place = [Math.floor(i / columns), i % columns] as const;
        const colours = [0, 1, 2].map((c) => at(c, ...place));
        const mean = (colours[0] + colours[1] + colours[2]) / 3;
        [...colours, mean].forEach((value, c) => (out[c * rows * columns + i] = value));
      }
      return nd(out, [batch, 4, rows, columns]);
    },
    decode: (_, latents) => Promise.resolve(latents),
  },
  config: undefined,
  latentChannels: 4,
  factor: { space: 8 },
  source: { label: 'picking', identity: 'picking', tensors: new Map() },
  patches: [],
};

const node = (name: string): NodeDefinition => zero123Nodes.find((each) => each.name === name)!;

function contextOf(folders?: Folders) {
  const context = contextWith(folders);
  return { ...context, services: { ...(context.services as object), runtime, families } };
}

/** What the loader makes of the checkpoint. */
async function load(folders: Folders): Promise<readonly unknown[]> {
  const folder = join(folders.directory('input'), '../models/checkpoints');
  mkdirSync(folder, { recursive: true });
  await writeTensors(join(folder, 'zero123.safetensors'), weights());
  const inputs = { ckpt_name: 'zero123.safetensors' };
  return runNode(imageOnlyCheckpointLoader, inputs, contextOf(folders));
}

/** Errors count relative to the largest value. */
function expectLike(name: string, got: NDArray): void {
  const wanted = golden.array(name);
  expect(got.shape).toEqual(wanted.shape);
  const largest = wanted.data.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const { maxError } = compare(name, got, wanted, { atol: 0, rtol: 0 });
  expect(maxError / largest).toBeLessThan(5e-6);
}

describe('Stable Zero123', () => {
  test('views are sampled as in ComfyUI', () =>
    withFolders(async (folders) => {
      const [loaded, clip_vision, vae] = await load(folders);
      const model = loaded as Model;
      expect(vae).toBe(null);
      expect(model.family.name).toBe('zero123');
      for (const each of golden.params.cases) {
        const { name, inputs } = each;
        const given = { clip_vision, init_image: golden.array('picture'), vae: picking, ...inputs };
        const [positive, negative, latent] = (await runNode(
          node(each.node),
          given,
          contextOf(),
        )) as [Conditioning, Conditioning, Latent];
        expectLike(`${name}.cross`, positive[0].cross);
        expectLike(`${name}.concat`, positive[0].concatLatent!);
        const samples = await sampleLatent({
          ...each,
          model: diffusion(model, { runtime }),
          positive,
          negative,
          latent: latent.samples,
          batchIndex: latent.batch_index,
          sampler: each.sampler_name,
          denoise: 1,
        });
        expectLike(name, samples);
      }
    }));

  test('is saved with projection and picture encoder in their places, and read again', () =>
    withFolders(async (folders) => {
      const [model, clip_vision] = await load(folders);
      const context = contextOf(folders);
      const parts = { model, clip_vision, vae: null, filename_prefix: 'saved' };
      await runNode(imageOnlyCheckpointSave, parts, context);
      const path = join(folders.directory('output'), 'saved_00001_.safetensors');
      const again = await loadCheckpoint(path, families);
      expect(again.model.family.name).toBe('zero123');
      expect(again.vision!.config).toEqual((clip_vision as ClipVision).config);
      const key = 'cc_projection.weight';
      const [saved, loaded] = [again.model, model as Model].map(({ source }) =>
        readBytes(source.tensors.get(key)!),
      );
      expect(Buffer.compare(await saved, await loaded)).toBe(0);
    }));

  test('one picture, and an encoder that sees it', async () => {
    const sizes = { width: 32, height: 32, batch_size: 1, elevation: 0, azimuth: 0 };
    const inputs = { clip_vision: null, vae: picking, ...sizes };
    const run = (count: number) =>
      runNode(
        zero123Conditioning,
        { ...inputs, init_image: full([count, 8, 8, 3], 0) },
        contextOf(),
      );
    await expect(run(2)).rejects.toThrow(/init_image.*one picture.*got 2/);
    await expect(run(1)).rejects.toThrow(/clip_vision.*a picture encoder.*got none/);
  });
});
