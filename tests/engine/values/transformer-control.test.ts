/** ControlNets of transformers against ComfyUI 0.3.64: small models with weights that both sides make. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { families } from '../../../engine/arch/families/index.ts';
import { type NDArray, nd } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { keptPart } from '../../../engine/values/kept-part.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { loadControlNet } from '../../../engine/values/load-control.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { type Application, withControl } from '../../../engine/values/control.ts';
import type { AutoencoderKind, Vae } from '../../../engine/values/vae.ts';
import { memoryOf, memorySource } from '../../../engine/weights/source.ts';
import { encodeSafetensors, floatTensor } from '../../../engine/weights/write.ts';
import { compare } from '../../golden/area.ts';
import { openCase } from '../../golden/open-case.ts';
import { goldenFiles, ownGoldenDir } from '../../support/golden.ts';
import { type Shapes, hashedSource, unitNumbers } from '../../support/hashed-weights.ts';
import { runMemory } from '../../support/run-memory.ts';

interface Case {
  readonly name: string;
  readonly main: Shapes;
  readonly net: Shapes;
  readonly x: readonly number[];
  readonly pooled: number;
  readonly image: readonly number[];
  readonly mask?: readonly number[] | null;
  readonly type?: number | null;
  readonly control_type?: number | null;
  readonly video: boolean;
  readonly vae: boolean;
  readonly strength: number;
  readonly sigma: number;
}

const runtime = createRuntime({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'noodle-control-'));
afterAll(() => rmSync(folder, { recursive: true }));

const numbers = (name: string, shape: readonly number[], factor: number, shift = 0): NDArray =>
  nd(
    unitNumbers(name, shape).map((u) => u * factor + shift),
    shape,
  );

/** Means of 8 x 8 pixels, mixed into 16 channels. */
function toyVae(video: boolean): Vae {
  const [channels, space] = [16, 8];
  const mix = unitNumbers('toy-vae', [channels, 3]).map((u) => u * 2);
  const kind: AutoencoderKind = {
    detect: () => undefined,
    decode: () => Promise.reject(new Error('never asked')),
    bytes: () => 1,
    async encode(_, { data, shape }) {
      const [height, width] = shape.slice(-2);
      const [h, w] = [height / space, width / space];
      const out = new Float32Array(channels * h * w);
      for (let c = 0; c < 3; c++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const value = data[(c * height + y) * width + x] / space ** 2;
            const cell = Math.floor(y / space) * w + Math.floor(x / space);
            for (let o = 0; o < channels; o++) out[o * h * w + cell] += mix[o * 3 + c] * value;
          }
        }
      }
      return nd(out, [1, channels, ...(video ? [1] : []), h, w]);
    },
  };
  const factor = video ? { space, time: 4 } : { space };
  const source = memorySource('toy', 'toy', []);
  return { kind, config: {}, latentChannels: channels, factor, source, patches: [] };
}

/** The shapes of a case as a file of the loader's. */
function fileOf({ name, net, control_type: stated }: Case): string {
  const path = join(folder, `${name}.safetensors`);
  const tensors = [...hashedSource('net.', net).tensors].map(
    ([key, entry]) => [key, { dtype: 'F32', shape: entry.shape, bytes: memoryOf(entry) }] as const,
  );
  const said = typeof stated === 'number' ? floatTensor(Float32Array.of(stated), [1]) : undefined;
  const all = new Map(tensors);
  writeFileSync(path, encodeSafetensors(said ? new Map([...all, ['control_type', said]]) : all));
  return path;
}

/** A prediction with the case's ControlNet, applied as `how` says. */
async function predicted(params: Case, how: Partial<Application> = {}): Promise<NDArray> {
  const { name, x: shape, type, mask, sigma, strength } = params;
  const model = await diffusionModelOf(hashedSource('main.', params.main), families);
  const loaded = await loadControlNet(fileOf(params));
  const net = typeof type === 'number' ? { ...loaded, type } : loaded;
  const image = numbers(`${name}.image`, [1, ...params.image, 3], 1, 0.5);
  const area = [1, ...(mask ?? [])];
  const painted = unitNumbers(`${name}.mask`, area).map((u) => (u > 0 ? 1 : 0));
  const hint = mask ? keptPart(image, nd(painted, area)) : { image };
  const entry = {
    cross: numbers(`${name}.context`, [shape[0], 5, 20], 2),
    pooled: numbers(`${name}.pooled`, [shape[0], params.pooled], 2),
    extra: { guidance: 3.5 },
  };
  const vae = params.vae ? toyVae(params.video) : null;
  const [[steered]] = withControl([[entry]], { net, strength, vae, ...hint, ...how });
  const x = numbers(`${name}.x`, shape, 4);
  const network = diffusion(model, { runtime });
  const conditions = await network.encodeConditioning(steered, { latentShape: shape, noise: x });
  const rows = (value: NDArray): NDArray =>
    value.shape[0] === shape[0]
      ? value
      : nd(
          Float32Array.from({ length: shape[0] }, () => value.data[0]),
          [shape[0]],
        );
  return network.apply({
    x,
    timesteps: new Float32Array(shape[0]).fill(network.modelSampling.timestep(sigma)),
    cond: Object.fromEntries(
      Object.entries(conditions).map(([name, { value }]) => [name, rows(value)]),
    ),
    sigma,
    parts: [{ list: 0, entry: steered }],
    run: runMemory(),
  });
}

describe('ControlNets of transformers', () => {
  const dir = ownGoldenDir('transformer-control');
  for (const file of goldenFiles(dir, '.safetensors')) {
    test(basename(file, '.safetensors'), async () => {
      const golden = await openCase<Case>(join(dir, file));
      const got = await predicted(golden.params);
      const result = compare('out', got, golden.array('out'), { atol: 2e-5, rtol: 1e-4 });
      expect(result).toMatchObject({ pass: true });
    });
  }

  const caseOf = async (name: string): Promise<Case> =>
    (await openCase<Case>(join(dir, `${name}.safetensors`))).params;

  test('outside its part of the run it changes nothing', async () => {
    const params = await caseOf('flux_union');
    const [late, none] = [
      await predicted(params, { startPercent: 1 }),
      await predicted(params, { strength: 0 }),
    ];
    expect(compare('late', late, none, { atol: 0, rtol: 0 }).pass).toBe(true);
  });

  test('what does not fit is said by name', async () => {
    const params = await caseOf('flux_union');
    await expect(predicted(params, { vae: null })).rejects.toThrow(
      /the ControlNet .*flux_union.*expected a VAE at the node that applies it, got none/,
    );
    const { main } = await caseOf('qwen_union');
    await expect(predicted({ ...params, main, x: [1, 16, 1, 8, 8] })).rejects.toThrow(
      /the ControlNet .*flux_union.*expected/,
    );
    const { main: narrow } = await caseOf('sd3_instantx');
    await expect(predicted({ ...params, main: narrow })).rejects.toThrow(
      /it was made for other models/,
    );
  });
});
