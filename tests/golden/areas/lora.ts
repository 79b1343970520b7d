/** Golden area `lora`: adapter files on the networks of a checkpoint. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NDArray } from '../../../engine/array/nd.ts';
import { type ClipConfig, clipText, detectClip } from '../../../engine/arch/clip.ts';
import type { EncodedText } from '../../../engine/arch/family.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { detectUNet, unet } from '../../../engine/arch/unet.ts';
import { vectorCondition } from '../../../engine/arch/families/sdxl.ts';
import { type FittedAdapters, fitAdapters, loraPatch } from '../../../engine/patch/lora/lora.ts';
import { type WeightNames, clipNames, unetNames } from '../../../engine/patch/lora/names.ts';
import { readAdapters } from '../../../engine/patch/lora/read.ts';
import { type NetworkPatch, feedsOf } from '../../../engine/patch/patch.ts';
import type { SessionInput } from '../../../engine/runtime/runtime.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { type Graph, trace } from '../../../engine/tensor/trace.ts';
import { loadCheckpoint } from '../../../engine/values/load-checkpoint.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import type { WeightSource } from '../../../engine/weights/source.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, compare, type GoldenArea } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';

interface Params {
  readonly model: string;
  readonly loras: readonly {
    readonly file: string;
    readonly strength_model: number;
    readonly strength_clip: number;
  }[];
  /** Start, text, end; padded by each encoder's own rule. */
  readonly tokens: readonly number[];
}

type Golden = GoldenCase<Params>;

const runtime = goldenRuntime();

/** A network of the checkpoint with the files of a case on it. */
interface Patched {
  readonly source: WeightSource;
  readonly patches: readonly NetworkPatch[];
  /** The same, with every change made to the weight itself. */
  readonly merged: readonly NetworkPatch[];
}

async function patched(
  golden: Golden,
  dir: string,
  network: {
    source: WeightSource;
    names: WeightNames;
    strength: 'strength_model' | 'strength_clip';
  },
): Promise<Patched> {
  const { source, names, strength } = network;
  const patches: NetworkPatch[] = [];
  const merged: NetworkPatch[] = [];
  for (const [i, lora] of golden.params.loras.entries()) {
    const file = await openSafetensors(modelFile(dir, 'lora', lora.file));
    const { entries } = await readAdapters(file);
    const fitted = fitAdapters(entries, names, source);
    patches.push(loraPatch(`lora${i}`, fitted, lora[strength]));
    merged.push(loraPatch(`lora${i}`, onWeights(fitted), lora[strength]));
  }
  return { source, patches, merged };
}

const onWeights = (fitted: FittedAdapters): FittedAdapters => ({
  ...fitted,
  acts: new Map([...fitted.acts].map(([key, act]) => [key, { ...act, beside: undefined }])),
});

async function run(
  { source }: Patched,
  patches: readonly NetworkPatch[],
  inputs: Readonly<Record<string, SessionInput>>,
  build: (g: Graph) => Record<string, Tensor>,
): Promise<Record<string, NDArray>> {
  // cases are small and many: none of their sessions is asked for twice
  const key = `${source.identity} ${sessions++}`;
  const session = await runtime.session(key, () =>
    trace('lora', openWeights(source, patches), build),
  );
  return session.run({ ...inputs, ...(await feedsOf(patches, { rows: 1 })) });
}
let sessions = 0;

/** The changed weights that the case has, as far as it has them (large ones: the first rows). */
async function weights(golden: Golden, network: Patched, prefix: string): Promise<Comparison[]> {
  const start = `out.weight.${prefix}`;
  const names = golden.names.filter((name) => name.startsWith(start));
  if (names.length === 0) return [];
  const got = await run(network, network.merged, {}, (g) =>
    Object.fromEntries(names.map((name) => [name, g.weights.param(name.slice(start.length))])),
  );
  return names.map((name) => {
    const expected = golden.array(name);
    const part = { data: got[name].data.slice(0, expected.data.length), shape: expected.shape };
    return compare(name, part, expected, golden.tolerance);
  });
}

async function encode(
  network: Patched,
  { positions }: ClipConfig,
  spec: Parameters<typeof clipText>[2] & { readonly pad: 'end' | 'zero' },
  tokens: readonly number[],
): Promise<{ hidden: NDArray; pooled: NDArray }> {
  const end = tokens.at(-1)!;
  const ids = [...tokens];
  while (ids.length < positions) ids.push(spec.pad === 'end' ? end : 0);
  const marks = new Float32Array(positions);
  marks[tokens.length - 1] = 1;
  const inputs = {
    tokens: { ids, shape: [1, positions] },
    end: { data: marks, shape: [1, 1, positions] },
  };
  const got = await run(network, network.patches, inputs, (g) => ({
    ...clipText(
      g.weights,
      {
        tokens: g.input('tokens', 'i64', ['batch', positions]),
        end: g.input('end', 'f32', ['batch', 1, positions]),
      },
      spec,
    ),
  }));
  return { hidden: got.hidden, pooled: got.pooled };
}

async function runCase(golden: Golden, dir: string): Promise<CaseResult> {
  const path = await gunzipped(modelFile(dir, 'lora', golden.params.model));
  const { model, clip } = await loadCheckpoint(path, families);
  const comparisons: Comparison[] = [];

  const texts: Record<string, EncodedText> = {};
  for (const { spec, source } of clip!.encoders) {
    const names = clipNames(spec.name, source.tensors.keys());
    const network = await patched(golden, dir, { source, names, strength: 'strength_clip' });
    comparisons.push(...(await weights(golden, network, `${spec.name}.transformer.`)));
    const config = detectClip(openWeights(source))!;
    if (spec.kind !== 'clip') throw new Error(`${spec.name} is no CLIP`);
    texts[spec.name] = await encode(network, config, spec, golden.params.tokens);
  }
  const { cross, pooled } = clip!.setup.join(texts);
  const check = (name: string, got: NDArray): void => {
    comparisons.push(compare(name, got, golden.array(name), golden.tolerance));
  };
  check('out.cond', cross);
  check('out.pooled', pooled!);

  const { source } = model;
  const names = unetNames(source.tensors.keys());
  const network = await patched(golden, dir, { source, names, strength: 'strength_model' });
  comparisons.push(...(await weights(golden, network, 'diffusion_model.')));
  const config = detectUNet(openWeights(source))!;
  const numbers = Float32Array.of(64, 96, 0, 0, 64, 96);
  const inputs = {
    x: golden.array('in.x'),
    timesteps: golden.array('in.timesteps'),
    context: golden.array('out.cond'),
    pooled: golden.array('out.pooled'),
    numbers: { data: numbers, shape: [1, 6] },
  };
  const { eps } = await run(network, network.patches, inputs, (g) => {
    const y =
      config.admWidth === undefined
        ? undefined
        : vectorCondition(
            g.input('pooled', 'f32', ['batch', inputs.pooled.shape[1]]),
            g.input('numbers', 'f32', ['batch', 6]),
          );
    const x = g.input('x', 'f32', ['batch', config.inChannels, 'height', 'width']);
    const timesteps = g.input('timesteps', 'f32', ['batch']);
    const context = g.input('context', 'f32', ['batch', 'tokens', config.contextWidth!]);
    return { eps: unet(g.weights, { x, timesteps, context, y }, config) };
  });
  check('out.eps', eps);
  return { comparisons };
}

/** Every name that the reference takes for a weight must mean that weight here. */
async function acceptedKeys(dir: string, file: string): Promise<CaseResult> {
  const { family, keys } = JSON.parse(readFileSync(file, 'utf8')) as {
    family: string;
    keys: Readonly<Record<string, readonly string[]>>;
  };
  const checkpoint = `../end-to-end/models/checkpoints/tiny_${family}.safetensors.gz`;
  const path = await gunzipped(modelFile(dir, 'lora', checkpoint));
  const { model, clip } = await loadCheckpoint(path, families);
  const known = new Map<string, string>();
  const there = new Set<string>();
  const learn = (prefix: string, { tensors }: WeightSource, names: WeightNames): void => {
    for (const key of tensors.keys()) there.add(prefix + key);
    names.forEach((place, name) => {
      if (typeof place === 'string') known.set(name, prefix + place);
    });
  };
  learn('diffusion_model.', model.source, unetNames(model.source.tensors.keys()));
  for (const { spec, source } of clip!.encoders) {
    learn(`${spec.name}.transformer.`, source, clipNames(spec.name, source.tensors.keys()));
  }
  // some of the listed weights are only in other models of the family
  const listed = Object.entries(keys).filter(([weight]) => there.has(weight));
  const comparisons = listed.map(([weight, names]) => {
    const wrong = names.filter((name) => known.get(name) !== weight);
    const name = wrong.length === 0 ? weight : `${weight}: ${wrong.join(', ')}`;
    return { name, maxError: wrong.length, tolerance: 0, pass: wrong.length === 0 };
  });
  return { comparisons };
}

export const area: GoldenArea = {
  name: 'lora',
  list: async (dir) => [
    ...goldenFiles(dir, '.safetensors').map((file) => file.slice(0, -12)),
    ...goldenFiles(dir, '.json').map((file) => file.slice(0, -5)),
  ],
  run: async (dir, name) =>
    name.startsWith('accepted_keys_')
      ? acceptedKeys(dir, join(dir, `${name}.json`))
      : runCase(await openCase<Params>(join(dir, `${name}.safetensors`)), dir),
};
