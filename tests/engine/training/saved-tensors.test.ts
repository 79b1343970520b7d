import { describe, expect, test } from 'vitest';
import { type NDArray, sizeOf } from '../../../engine/array/nd.ts';
import { type AdapterAct, type AdapterParts } from '../../../engine/patch/lora/kinds.ts';
import { fitAdapters } from '../../../engine/patch/lora/lora.ts';
import { type WeightNames, clipNames, unetNames } from '../../../engine/patch/lora/names.ts';
import { readAdapters } from '../../../engine/patch/lora/read.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { add, input } from '../../../engine/tensor/nn.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { type DialectName, dialects } from '../../../engine/training/files/dialects.ts';
import { savedTensors } from '../../../engine/training/files/tensors.ts';
import { trainedEncoderModules, trainedModules } from '../../../engine/training/modules/choose.ts';
import { trainedFamily } from '../../../engine/training/modules/families.ts';
import type { TrainedModule } from '../../../engine/training/modules/module.ts';
import { type WeightSource, memorySource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { sourceOfShapes } from '../../support/manifest.ts';
import { moduleTrees, treeSource } from '../../support/module-trees.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import { clip, t5 } from '../../support/tiny-encoders.ts';

let seed = 1;
const random = (...shape: number[]): NDArray => ({
  data: randomFloats(sizeOf(shape), seed++),
  shape,
});
const number = (value: number): NDArray => ({ data: Float32Array.of(value), shape: [] });

/** Random factors for a weight of this shape. */
const made: Readonly<Record<string, (shape: readonly number[]) => AdapterParts>> = {
  lora: ([out, into, ...kernel]) => ({
    alpha: number(3),
    up: random(out, 2, ...kernel.map(() => 1)),
    down: random(2, into, ...kernel),
  }),
  loha: ([out, ...rest]) => ({
    h1a: random(out, 2),
    h1b: random(2, sizeOf(rest)),
    h2a: random(out, 2),
    h2b: random(2, sizeOf(rest)),
    alpha: number(1),
  }),
  lokr: ([out, into, ...kernel]) => ({
    w1: random(out / 2, into),
    w2: random(2, 1, ...kernel),
    alpha: number(1),
  }),
  oft: ([out]) => ({ blocks: random(out / 2, 2, 2), alpha: number(1) }),
  dora: ([out, into, ...kernel]) => ({
    ...made.lora([out, into, ...kernel]),
    dora: random(out, 1, ...kernel.map(() => 1)),
  }),
  diff: (shape) => ({ diff: random(...shape) }),
};

/** What the act makes of a weight at strength 1. */
async function effect(act: AdapterAct, shape: readonly number[]): Promise<number[]> {
  const weight = { data: randomFloats(sizeOf(shape), 7), shape };
  const program = trace('effect', randomSource({}), () => {
    const fed = (name: string) => input(name, 'f32', act.arrays[name].shape);
    const w = input('weight', 'f32', shape);
    const one = input('one', 'f32', []);
    return { out: act.change ? act.change(w, fed, one) : add(w, act.delta!(w, fed)) };
  });
  const { out } = await interpret(program, { ...act.arrays, weight, one: number(1) });
  return [...out.data];
}

interface Network {
  readonly source: WeightSource;
  readonly names: WeightNames;
}

/** What a reader makes of the file; it must understand all of it. */
async function readBack(
  adapters: readonly (readonly [TrainedModule, AdapterParts])[],
  { source, names }: Network,
  dialect: DialectName,
): Promise<ReadonlyMap<string, AdapterAct>> {
  const tensors = savedTensors(adapters, dialects[dialect]);
  const file = memorySource(
    'adapter',
    'adapter',
    [...tensors].map(([name, { data, shape }]) => [name, floatTensor(data, shape)] as const),
  );
  const { entries, unknown } = await readAdapters(file);
  const { acts, misfits, taken } = fitAdapters(entries, names, source);
  const strange = entries.map(({ name }) => name).filter((name) => !taken.has(name));
  expect({ unknown, misfits, strange }).toEqual({ unknown: [], misfits: [], strange: [] });
  return acts;
}

/** In these dialects the file acts on the same weights, and does the same to them, as under ComfyUI's names. */
async function sameInAll(
  modules: readonly TrainedModule[],
  parts: (shape: readonly number[]) => AdapterParts,
  network: Network,
  others: readonly DialectName[],
): Promise<void> {
  const adapters = modules.map((module) => [module, parts(module.shape)] as const);
  const wanted = await readBack(adapters, network, 'comfyui');
  expect([...wanted.keys()].sort()).toEqual(modules.map(({ key }) => key).sort());
  const compared = adapters.filter(
    ([{ shape, parts }], i) => sizeOf(shape) < 6000 && (parts !== undefined || i % 16 === 0),
  );
  for (const dialect of new Set(others)) {
    const acts = await readBack(adapters, network, dialect);
    expect([...acts.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [{ key, shape }] of compared) {
      const [got, same] = [
        await effect(acts.get(key)!, shape),
        await effect(wanted.get(key)!, shape),
      ];
      expect(Math.max(...got.map((value, i) => Math.abs(value - same[i]))), key).toBeLessThan(1e-5);
    }
  }
}

const unet = (family: string): Network => {
  const source = treeSource(moduleTrees[family]);
  return { source, names: unetNames(source.tensors.keys()) };
};

describe('saved files are read back', () => {
  test.each(Object.keys(moduleTrees))('of %s, under every name it has', async (name) => {
    const network = unet(name);
    const modules = trainedModules(
      network.source,
      { name },
      { transformerOnly: false, conv: true },
    );
    const { yaml, kohya } = trainedFamily(name).saved;
    await sameInAll(modules, made.lora, network, [yaml, kohya, 'lycoris']);
  });

  test.each(Object.keys(made))(
    'with %s on convolutions and on matrices of several',
    async (kind) => {
      for (const name of ['sd2', 'flux', 'lumina2']) {
        const network = unet(name);
        const modules = trainedModules(network.source, { name }, { conv: true });
        const { yaml, kohya } = trainedFamily(name).saved;
        await sameInAll(modules, made[kind], network, [yaml, kohya]);
      }
    },
  );

  test('of modules that share a matrix and are trained apart', async () => {
    const network = unet('flux');
    const modules = trainedModules(network.source, { name: 'flux' }, { apart: true });
    const adapters = modules.map((module) => [module, made.lora(module.shape)] as const);
    const keys = [...new Set(modules.map(({ key }) => key))];
    for (const dialect of ['peft', 'comfyui', 'kohya'] as const) {
      const acts = await readBack(adapters, network, dialect);
      expect([...acts.keys()].sort()).toEqual([...keys].sort());
    }
  });

  test('with offsets of norms and biases', async () => {
    for (const name of ['sd2', 'flux']) {
      const network = unet(name);
      const modules = trainedModules(network.source, { name }, 'everything');
      const adapters = modules.map((module) => {
        const parts = made[module.as === 'offset' ? 'diff' : 'lora'](module.shape);
        return [module, module.bias ? { ...parts, bias: random(module.shape[0]) } : parts] as const;
      });
      const keys = modules.flatMap(({ key, bias }) => (bias === undefined ? [key] : [key, bias]));
      const { yaml, kohya } = trainedFamily(name).saved;
      for (const dialect of ['comfyui', yaml, kohya] as const) {
        const acts = await readBack(adapters, network, dialect);
        expect([...acts.keys()].sort()).toEqual([...keys].sort());
      }
    }
  });

  test.each([
    ['clip_l', true, clip({ layers: 2 })],
    ['clip_g', false, clip({ layers: 2 })],
    ['t5xxl', false, t5()],
  ] as const)('of the text encoder %s', async (name, alone, shapes) => {
    const source = sourceOfShapes(name, Object.entries(shapes));
    const modules = trainedEncoderModules(source, { name, alone }, {});
    const network = { source, names: clipNames(name, source.tensors.keys()) };
    await sameInAll(modules, made.lora, network, ['diffusers', 'kohya', 'peft']);
  });
});

test('parts that make no adapter are not dropped in silence', () => {
  const [module] = trainedModules(unet('sd2').source, { name: 'sd2' }, {});
  const save = () => savedTensors([[module, { up: random(2, 2) }]], dialects.comfyui);
  expect(save).toThrow(/time_embed\.0\.weight.*all parts of an adapter.*up/);
});

describe('names', () => {
  const named = (
    name: string,
    dialect: DialectName,
    { kind = 'lora', only = [] as string[] } = {},
  ): string[] => {
    const modules = trainedModules(unet(name).source, { name }, { onlyIfContains: only });
    return [
      ...savedTensors(
        modules.map((module) => [module, made[kind](module.shape)] as const),
        dialects[dialect],
      ).keys(),
    ];
  };

  test('are those that trainers write', () => {
    const attention = { only: ['down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q'] };
    const start = 'down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q';
    const lora = ['.alpha', '.lora_up.weight', '.lora_down.weight'];
    expect(named('sdxl', 'diffusers', attention)).toEqual(
      lora.map((end) => `lora_unet_${start}${end}`),
    );
    expect(named('sdxl', 'kohya', attention)[0]).toBe(
      'lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q.alpha',
    );
    expect(named('sdxl', 'comfyui', { ...attention, kind: 'lokr' })).toEqual([
      'diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_q.lokr_w1',
      'diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_q.lokr_w2',
      'diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_q.alpha',
    ]);
    expect(named('flux', 'peft', { only: ['transformer_blocks.0.attn.to_'] }).slice(0, 3)).toEqual([
      'transformer.transformer_blocks.0.attn.to_q.lora_B.weight',
      'transformer.transformer_blocks.0.attn.to_q.lora_A.weight',
      'transformer.transformer_blocks.0.attn.to_k.lora_B.weight',
    ]);
    expect(named('flux', 'kohya', { only: ['transformer_blocks.0.attn.add'] })[1]).toBe(
      'lora_unet_double_blocks_0_txt_attn_qkv.lora_up.weight',
    );
    expect(named('z-image', 'comfyui-peft', { only: ['layers.0.attention'] })).toContain(
      'diffusion_model.layers.0.attention.to_v.lora_A.weight',
    );
  });
});
