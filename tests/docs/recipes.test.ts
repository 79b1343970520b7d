/**
 * The recipes of CONTRIBUTING.md as worked examples: something new of every kind, written here in one
 * piece and handed to the code that lists such things. Faces have theirs in tests/engine/server.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { full, zeros } from '../../engine/array/nd.ts';
import { defineFamily } from '../../engine/arch/family.ts';
import { families } from '../../engine/arch/families/index.ts';
import { alone, clipL } from '../../engine/arch/families/text-encoders.ts';
import type { UpscaleKind } from '../../engine/arch/upscale/kind.ts';
import { upscaleKinds } from '../../engine/arch/upscale/kinds.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { defineNode, float } from '../../engine/node.ts';
import type { Builder } from '../../engine/onnx/builder.ts';
import { printModel } from '../../engine/onnx/print.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { fitAdapters, loraPatch } from '../../engine/patch/lora/lora.ts';
import type { AdapterKind } from '../../engine/patch/lora/kinds.ts';
import { feedsOf, type NetworkPatch } from '../../engine/patch/patch.ts';
import { type Provider, providers } from '../../engine/runtime/providers.ts';
import { openSession } from '../../engine/runtime/session.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { sampleCustom } from '../../engine/sampling/driver.ts';
import { cfgGuider } from '../../engine/sampling/guidance/cfg.ts';
import { latentFormat } from '../../engine/sampling/latent/formats.ts';
import { createModelSampling } from '../../engine/sampling/model-sampling.ts';
import type { SamplerDefinition } from '../../engine/sampling/samplers/sampler.ts';
import { openWeights } from '../../engine/tensor/cursor.ts';
import { interpret } from '../../engine/tensor/interpret.ts';
import { linear } from '../../engine/tensor/layers.ts';
import {
  add,
  mean,
  mul,
  relu,
  resizeBilinear,
  softplus,
  tanh,
  unsqueeze,
} from '../../engine/tensor/nn.ts';
import { type Tensor, node, opTable, row } from '../../engine/tensor/tensor.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { diffusion } from '../../engine/values/model.ts';
import type { TextEncoder, TextEncoderKind } from '../../engine/values/text-encoder.ts';
import { openUpscaleModel } from '../../engine/values/upscale-model.ts';
import { upscale } from '../../engine/values/upscale.ts';
import { encodeSafetensors } from '../../engine/weights/write.ts';
import { runMemory } from '../support/run-memory.ts';
import { randomSource, randomTensors } from '../support/random-weights.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'noodle-recipes-'));
});
afterAll(() => rm(folder, { recursive: true }));

const runtime = createRuntime({ threads: 1 });
const source = randomSource({ 'layer.weight': [3, 3], 'layer.bias': [3] });
const x = { shape: [1, 3], data: [0.5, -1, 2] };

it('a node: data and a function, one more in the list', async () => {
  const halve = defineNode({
    name: 'Halve',
    category: 'utils',
    module: 'recipes',
    form: 'v1',
    inputs: { value: float({ default: 1 }) },
    outputs: [{ type: 'FLOAT' }],
    outputNode: true,
    run: ({ value }) => ({ ui: { text: [String(value / 2)] }, result: [value / 2] }),
  });
  const nodes = new Map([...builtinNodes(), [halve.name, halve]]);
  expect(nodes.get('Halve')).toBe(halve);
  expect(await halve.run({ value: 3 }, {} as never)).toMatchObject({ result: [1.5] });
});

it('an upscaler: what tells its files, and the network', async () => {
  const bilinear: UpscaleKind = {
    name: 'Bilinear',
    detect: (w) =>
      w.has('layer.weight')
        ? { scale: 2, inputChannels: 3, outputChannels: 3, config: {} }
        : undefined,
    build: (_, picture) => resizeBilinear(picture, { scale: 2 }),
  };
  const model = await openUpscaleModel(source, [...upscaleKinds, bilinear]);
  const enlarged = await upscale(model, full([1, 4, 6, 3], 0.25), { runtime });
  expect(enlarged).toEqual(full([1, 8, 12, 3], 0.25));
});

it('a sampler: one function over denoise, a row with its facts', async () => {
  /** Straight to what the model predicts, level by level. */
  const jump: SamplerDefinition = {
    run: async (denoise, start, sigmas) => {
      let last = start;
      for (let i = 0; i < sigmas.length - 1; i++) {
        last = (await denoise(last, sigmas[i])).denoised;
      }
      return last;
    },
  };
  const { samples } = await sampleCustom({
    model: {
      modelSampling: createModelSampling({ prediction: 'eps', schedule: {} }),
      latentFormat: latentFormat('SD15'),
      encodeConditioning: async ({ cross }) => ({ cross: { value: cross, along: 'tokens' } }),
      apply: async ({ x: given }) => zeros(given.shape),
      bestBatch: () => 4,
    },
    guider: cfgGuider({ positive: [{ cross: zeros([1, 1, 2]) }], cfg: 1 }),
    sampler: jump,
    sigmas: Float32Array.of(1, 0.5, 0),
    latent: zeros([1, 4, 2, 2]),
    seed: 1,
  });
  expect(samples.shape).toEqual([1, 4, 2, 2]);
});

describe('a model family, and a kind of text encoder', () => {
  /** A network of one layer: x scaled by what the text says, in the mean. */
  const toy = defineFamily({
    name: 'toy',
    title: 'Toy Diffusion',
    detect: ({ model }) =>
      model.has('toy.weight') ? { width: model.shape('toy.weight')[1] } : undefined,
    sampling: async () => ({ prediction: 'eps', schedule: {} }),
    vaePrefixes: [],
    text: alone(clipL),
    textPrefixes: [[]],
    latentFormat: 'SD15',
    memoryFactor: 1,
    contextWidth: ({ width }) => width,
    extraChannels: () => 'none',
    network: (g, { width }) => {
      const h = g.input('x', 'f32', ['batch', 4, 'height', 'width']);
      g.input('timesteps', 'f32', ['batch']);
      const cross = g.input('cross', 'f32', ['batch', 'tokens', width]);
      const scale = mean(linear(g.weights.at('toy'), cross), [1, 2]); // [b]
      return { out: mul(h, unsqueeze(scale, [1, 2, 3])) };
    },
  });

  it('is one plain object in the list of families', async () => {
    const path = join(folder, 'toy.safetensors');
    const tensors = randomTensors({ 'toy.weight': [2, 6] });
    await writeFile(path, encodeSafetensors(tensors));
    await expect(loadCheckpoint(path, families)).rejects.toThrow(/could not detect/);
    const { model } = await loadCheckpoint(path, [...families, toy]);
    expect(model.family.title).toBe('Toy Diffusion');
    const out = await diffusion(model, { runtime }).apply({
      x: zeros([1, 4, 2, 2]),
      timesteps: Float32Array.of(1),
      cond: { cross: zeros([1, 5, 6]) },
      sigma: 1,
      parts: [{ list: 0, entry: { cross: zeros([1, 77, 2]) } }],
      run: runMemory(),
    });
    expect(out.shape).toEqual([1, 4, 2, 2]);
  });

  it('is one row: how it is told, cut into tokens and run', async () => {
    /** One token a letter; the hidden state of a letter is its code. */
    const letters: TextEncoderKind = {
      titles: { letters: 'Letters' },
      normalise: (given) => given,
      identify: () => undefined,
      open: () => undefined,
      tokenize: (_, text) => [
        {
          ids: [...text].map((letter) => letter.charCodeAt(0)),
          weights: [...text].map(() => 1),
          wordIds: [...text].map(() => 0),
        },
      ],
      encode: async (_, [{ ids }]) => ({
        hidden: { data: Float32Array.from(ids as number[]), shape: [1, ids.length, 1] },
        pooled: { data: Float32Array.of(ids.length), shape: [1, 1] },
      }),
    };
    const spec = { ...clipL, name: 'letters' };
    const encoder: TextEncoder = { kind: letters, spec, config: {}, source, patches: [] };
    const run = { runtime, folders: { embedding: () => undefined } as never };
    const { cross, pooled } = await encodePrompt(
      { setup: alone(spec), encoders: [encoder] },
      'abc',
      run,
    );
    expect([Array.from(cross.data), Array.from(pooled!.data)]).toEqual([[97, 98, 99], [3]]);
  });
});

describe('what changes a network', () => {
  const network = (patches: readonly NetworkPatch[]) =>
    trace('recipe', openWeights(source, patches), (g) => {
      const h = g.input('x', 'f32', ['batch', 3]);
      const layer = g.weights.at('layer');
      return { y: layer.site({ h }, ({ h: inner }) => linear(layer, inner)) };
    });
  const run = async (patches: readonly NetworkPatch[]): Promise<number[]> => {
    const feeds = await feedsOf(patches, { rows: 1 });
    return Array.from((await interpret(network(patches), { x, ...feeds })).y.data);
  };

  it('an adapter kind is a row: its tensors, and what they do to a weight', async () => {
    /** Every weight moved by one number. */
    const shift: AdapterKind = {
      name: 'shift',
      parts: { by: ['.shift'] },
      needs: [['by']],
      act: ({ by }) => ({
        arrays: { by },
        delta: (weight, fed) => mul(fed('by'), add(mul(weight, 0), 1)),
      }),
    };
    const parts = { by: { data: Float32Array.of(0.25), shape: [1] } };
    const entries = [{ name: 'layer', kind: shift, parts }];
    const names = new Map([['layer', 'layer.weight']]);
    const patch = loraPatch('lora0', fitAdapters(entries, names, source), 2);
    const [plain, shifted] = [await run([]), await run([patch])];
    // every output gains 2 · 0.25 · the sum of x
    shifted.forEach((value, i) => expect(value).toBeCloseTo(plain[i] + 0.5 * 1.5, 5));
  });

  it('a patch is one object: what it does at a site', async () => {
    const positive: NetworkPatch = {
      identity: 'positive',
      at: ({ name, inputs, run: inner }) => (name === 'layer' ? relu(inner(inputs)) : undefined),
    };
    const plain = await run([]);
    expect(await run([positive])).toEqual(plain.map((value) => Math.max(0, value)));
  });

  it('a provider is a row: operators, the type of reals, how weights lie', () => {
    const shouting: Provider = {
      ...providers.portable,
      name: 'shouting',
      table: { ...providers.portable.table, linear: (b, _, inputs) => b.emit('LINEAR', inputs) },
    };
    expect(printModel(lower(network([]), shouting))).toMatch(/ = LINEAR\(x, /);
  });
});

describe('an op', () => {
  /** x * tanh(log(1 + exp(x))) (Misra 2019). */
  const { mish: mishOp } = opTable({
    mish: row<object>({
      shape: ([h]) => h.shape,
      kernel: ([h], _, { shape }) => ({
        shape,
        data: h.data.map((v) => v * Math.tanh(Math.log1p(Math.exp(v)))),
      }),
      decompose: ({ inputs: [h] }) => mul(h, tanh(softplus(h))),
    }),
  });
  const mish = (h: Tensor): Tensor => node(mishOp, [h], {});
  const program = trace('op', source, (g) => ({ y: mish(g.input('x', 'f32', ['batch', 3])) }));

  it.each([providers.cpu, providers.portable])(
    'is one row: what it computes, and steps that $name runs',
    async (provider) => {
      const expected = (await interpret(program, { x })).y;
      const session = await openSession(program, { provider, threads: 1 });
      const { y } = await session.run({ x: { ...x, data: Float32Array.from(x.data) } });
      await session.release();
      y.data.forEach((value, i) => expect(value).toBeCloseTo(expected.data[i], 5));
    },
  );

  it('may have an operator where a provider has one', () => {
    const table = {
      ...providers.portable.table,
      mish: (b: Builder, _: Tensor, inputs: readonly string[]) => b.emit('Mish', inputs),
    };
    expect(printModel(lower(program, { table }))).toMatch(/ = Mish\(x\)/);
  });
});
