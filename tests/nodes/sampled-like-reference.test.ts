/**
 * Whole samplings of the tiny model through nodes that change it, against the reference: each file holds
 * cases (nodes with their inputs, how it is sampled) and what ComfyUI made of them on the CPU in fp32.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type NDArray, zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import type { Context, NodeDefinition } from '../../engine/node.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleLatent } from '../../engine/sampling/driver.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { type Model, diffusion } from '../../engine/values/model.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { compare } from '../golden/area.ts';
import { openCase } from '../golden/open-case.ts';

interface Case {
  readonly name: string;
  readonly nodes: readonly {
    readonly class_type: string;
    readonly inputs: Readonly<Record<string, unknown>>;
  }[];
  readonly size: readonly [number, number];
  readonly batch: number;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler_name: string;
  readonly scheduler: string;
  readonly seed: number;
  readonly denoise: number;
  /** Names of the positive conditions; one of its own unless told. */
  readonly positive?: readonly string[];
}

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'tests/fixtures/sampled');
const runtime = createRuntime({ threads: 2 });
const nodes = builtinNodes();
const { model } = await loadCheckpoint(
  join(root, 'models/checkpoints/tiny-scenes.safetensors'),
  families,
);
const signal = new AbortController().signal;
const context = { services: { runtime }, signal, progress: () => undefined } as unknown as Context;

/** What a node makes of a model; inputs that begin with $ are conditioning of the file. */
async function changed(
  on: Model,
  { class_type, inputs }: Case['nodes'][number],
  conditioning: (name: string) => unknown,
): Promise<Model> {
  const node = nodes.get(class_type) as NodeDefinition;
  const values = Object.entries(inputs).map(([name, value]) => [
    name,
    typeof value === 'string' && value.startsWith('$') ? conditioning(value.slice(1)) : value,
  ]);
  const given = { model: on, ...(Object.fromEntries(values) as object) };
  const [result] = (await node.run(given, context)) as [Model];
  return result;
}

for (const file of readdirSync(folder).sort()) {
  const golden = await openCase<readonly Case[]>(join(folder, file));
  const conditioning = (name: string) => [{ cross: golden.array(name) }];

  describe(`as ComfyUI: ${file}`, () => {
    test.each(golden.params.map((each) => [each.name, each] as const))('%s', async (_, each) => {
      let on = model;
      for (const node of each.nodes) on = await changed(on, node, conditioning);
      const samples = await sampleLatent({
        ...each,
        model: diffusion(on, { runtime }),
        positive: (each.positive ?? ['positive']).flatMap(conditioning),
        negative: conditioning('negative'),
        latent: zeros([each.batch, 4, ...each.size]),
        sampler: each.sampler_name,
      });
      expectLike(samples, golden.array(each.name));
    });
  });
}

function expectLike(got: NDArray, wanted: NDArray): void {
  expect(got.shape).toEqual(wanted.shape);
  const largest = wanted.data.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  // latents of this model are large at first: errors count relative to the largest value
  const { maxError } = compare('samples', got, wanted, { atol: 0, rtol: 0 });
  expect(maxError / largest).toBeLessThan(2e-4);
}
