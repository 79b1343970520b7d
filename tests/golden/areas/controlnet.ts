/** Golden area `controlnet`: control networks alone, and in samplers. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { zeros } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import {
  controlNet as controlNetwork,
  detectControlNet,
  hintFeatures,
  hintScale,
} from '../../../engine/arch/controlnet.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import type { Conditioning } from '../../../engine/sampling/conditioning.ts';
import { sampleLatent } from '../../../engine/sampling/driver.ts';
import { createModelSampling } from '../../../engine/sampling/model-sampling.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { mulDim, symbol } from '../../../engine/tensor/shape.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { encodePrompt } from '../../../engine/values/clip.ts';
import { type Control, type ControlNet, onHost } from '../../../engine/values/control-net.ts';
import { withControl } from '../../../engine/values/control.ts';
import { loadCheckpoint } from '../../../engine/values/load-checkpoint.ts';
import { loadControlNet } from '../../../engine/values/load-control.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { t2iAdapterKind } from '../../../engine/values/t2i-adapter-kind.ts';
import { createFolders } from '../../../engine/store/folders.ts';
import { fromDiffusersControlNet } from '../../../engine/weights/key-maps/diffusers-controlnet.ts';
import { memorySource } from '../../../engine/weights/source.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, compare, type GoldenArea } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import { runMemory } from '../../support/run-memory.ts';
import { type GoldenCase, gunzipped, openCase, temporaryFolder } from '../open-case.ts';

interface Variant {
  readonly strength: number;
  readonly start?: number;
  readonly end?: number;
}

interface Params {
  readonly op: string;
  readonly model: string;
  readonly controlnet?: string;
  readonly prompt: string;
  readonly negative: string;
  readonly sampler: string;
  readonly scheduler: string;
  readonly steps: number;
  readonly cfg: number;
  readonly seed: number;
  readonly strength?: number;
  readonly global_average_pooling?: boolean;
  readonly latent_shape: readonly number[];
  readonly variants?: Readonly<Record<string, Variant | Readonly<Record<string, Variant>>>>;
  readonly input_list?: readonly string[];
}

type Golden = GoldenCase<Params>;

const runtime = goldenRuntime();

/** The raw network on the case's inputs. */
async function forward(golden: Golden, dir: string): Promise<CaseResult> {
  const net = await loadControlNet(modelFile(dir, 'controlnet', golden.params.model));
  const config = detectControlNet(openWeights(net.source))!;
  const session = await runtime.session(`forward ${net.source.identity}`, () =>
    trace('controlnet', net.source, (g) => {
      const x = g.input('x', 'f32', ['batch', config.inChannels, 'height', 'width']);
      const timesteps = g.input('timesteps', 'f32', ['batch']);
      const context = g.input('context', 'f32', ['batch', 'tokens', config.contextWidth!]);
      const sides = ['height', 'width'].map((name) => mulDim(symbol(name), hintScale));
      const picture = g.input('hint', 'f32', ['batch', config.hintChannels, ...sides]);
      const hint = hintFeatures(g.weights, picture);
      return { hint, ...controlNetwork(g.weights, { x, timesteps, context, hint }, config) };
    }),
  );
  const inputs = ['x', 'timesteps', 'context', 'hint'].map(
    (name) => [name, golden.array(`in.${name}`)] as const,
  );
  const { hint, middle, ...outputs } = await session.run(Object.fromEntries(inputs));
  const check = (name: string, got: NDArray): Comparison =>
    compare(name, got, golden.array(name), golden.tolerance);
  return {
    comparisons: [
      check('mid.guided_hint', hint),
      check('out.middle.0', middle),
      ...Object.entries(outputs).map(([name, got]) => check(`out.${name}`, got)),
    ],
  };
}

/** An adapter's lists, as samplers get them. */
async function adapter(golden: Golden, dir: string): Promise<CaseResult> {
  const { params } = golden;
  const net = await loadControlNet(modelFile(dir, 'controlnet', params.model));
  const image = golden.array('in.image');
  const control: Control = {
    net,
    image,
    strength: params.strength!,
    startPercent: 0,
    endPercent: 1,
  };
  const sampling = createModelSampling({ prediction: 'eps', schedule: {} });
  const network = { source: memorySource('none', 'none', []), patches: [] };
  const bound = t2iAdapterKind(control, {
    runtime,
    network,
    family: { title: 'none' },
    sampling,
    isAlone: false,
  });
  const [, ...latent] = params.latent_shape;
  const { input } = await bound.residuals({
    x: zeros([1, ...latent]),
    timesteps: Float32Array.of(0),
    sigma: 1,
    cond: {},
    parts: [{ list: 0, entry: { cross: zeros([1, 1, 1]) } }],
    run: runMemory(),
  });
  const comparisons = params.input_list!.map((name, i): Comparison => {
    const got = input[i];
    if (name !== 'none' && got)
      return compare(name, onHost(got), golden.array(name), golden.tolerance);
    const pass = name === 'none' && !got;
    return { name: `input ${i} (${name})`, maxError: pass ? 0 : Infinity, tolerance: 0, pass };
  });
  return { comparisons };
}

/** KSampler from an empty latent; the names of the case's outputs tell what was applied. */
async function sampling(golden: Golden, dir: string): Promise<CaseResult> {
  const { params } = golden;
  const path = await gunzipped(modelFile(dir, 'controlnet', params.model));
  const { model, clip } = await loadCheckpoint(path, families);
  const file = await loadControlNet(modelFile(dir, 'controlnet', params.controlnet!));
  const net: ControlNet = { ...file, pooled: params.global_average_pooling ?? false };
  const folders = createFolders({ base: await temporaryFolder() });
  const encode = async (text: string): Promise<Conditioning> => [
    await encodePrompt(clip, text, { runtime, folders, warn: () => undefined }),
  ];
  const [positive, negative] = [await encode(params.prompt), await encode(params.negative)];
  const comparisons: Comparison[] = [];
  const limits = { ...golden.tolerance, extent: 'workflow' } as const; // many steps, one after the other
  for (const name of golden.names.filter((key) => key.startsWith('out.latent'))) {
    const variant = name.split('.')[2] ?? '';
    const lists = applied([positive, negative], net, golden, variant);
    const steps: NDArray[] = [];
    const latent = await sampleLatent({
      ...params,
      model: diffusion(model, { runtime }),
      positive: lists[0],
      negative: lists[1],
      latent: zeros(params.latent_shape),
      onStep: ({ denoised }) => void steps.push(denoised),
    });
    comparisons.push(compare(name, latent, golden.array(name), limits));
    steps.forEach((denoised, i) => {
      const mid = golden.optional(`mid.${variant}.denoised.${i}`);
      if (mid) comparisons.push(compare(`${variant} ${i}`, denoised, mid, limits));
    });
  }
  return { comparisons };
}

function applied(
  [positive, negative]: readonly Conditioning[],
  net: ControlNet,
  golden: Golden,
  variant: string,
): readonly Conditioning[] {
  const { strength = 1, variants = {} } = golden.params;
  const batch = /^hint_batch(\d)$/.exec(variant)?.[1];
  const image = golden.array(batch === undefined ? 'in.image' : `in.image.${batch}`);
  const given = variants[variant] as Variant | undefined;
  const base = { net, image, strength: given?.strength ?? strength };
  const window = { startPercent: given?.start, endPercent: given?.end };
  switch (variant) {
    case 'none':
      return [positive, negative];
    case 'legacy_apply':
      return [...withControl([positive], { ...base, spreads: true }), negative];
    case 'positive_only':
      return [...withControl([positive], base), negative];
    case 'chained': {
      const [first, second] = Object.values(variants[variant] as Record<string, Variant>);
      const inverted = { data: image.data.map((value) => 1 - value), shape: image.shape };
      const once = withControl([positive, negative], { ...base, strength: first.strength });
      return withControl(once, {
        net,
        image: inverted,
        strength: second.strength,
        startPercent: second.start,
        endPercent: second.end,
      });
    }
    default:
      return withControl([positive, negative], { ...base, ...window });
  }
}

/** Every name of diffusers' layout must mean the tensor that it means there. */
function diffusersKeys(path: string): CaseResult {
  const { pairs } = JSON.parse(readFileSync(path, 'utf8')) as { pairs: [string, string][] };
  const tensor = { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) } as const;
  const file = memorySource(
    'none',
    'none',
    pairs.map(([key]) => [key, tensor] as const),
  );
  const renamed = fromDiffusersControlNet(file);
  const comparisons = pairs.map(([theirs, ours]): Comparison => {
    const pass = renamed.tensors.get(ours)?.name === theirs;
    return { name: `${theirs} as ${ours}`, maxError: pass ? 0 : 1, tolerance: 0, pass };
  });
  return { comparisons };
}

const operations: Readonly<Record<string, (golden: Golden, dir: string) => Promise<CaseResult>>> = {
  controlnet_forward: forward,
  controlnet_sampling: sampling,
  t2i_adapter: adapter,
};

const keyList = 'diffusers_keys_controlnet.json';

export const area: GoldenArea = {
  name: 'controlnet',
  list: async (dir) => [
    ...goldenFiles(dir, '.safetensors').map((file) => basename(file, '.safetensors')),
    ...goldenFiles(dir, '.json').filter((file) => file === keyList),
  ],
  async run(dir, name) {
    if (name === keyList) return diffusersKeys(join(dir, name));
    const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
    const operation = operations[golden.params.op];
    return operation ? operation(golden, dir) : { skip: `no operation '${golden.params.op}'` };
  },
};
