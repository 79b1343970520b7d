/** Golden `training/unet-grad`: gradients of whole networks, of their weights and of adapters on them. */
import { join } from 'node:path';
import { type NDArray, sizeOf } from '../../../engine/array/nd.ts';
import { clipText, detectClip } from '../../../engine/arch/clip.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { detectUNet, unet } from '../../../engine/arch/unet.ts';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { readAdapters } from '../../../engine/patch/lora/read.ts';
import { feedsOf } from '../../../engine/patch/patch.ts';
import type { SessionInput } from '../../../engine/runtime/runtime.ts';
import { type Weights, openWeights } from '../../../engine/tensor/cursor.ts';
import { add, mean, mul, slice, sub } from '../../../engine/tensor/nn.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { type Graph, trace } from '../../../engine/tensor/trace.ts';
import {
  type TrainedPatch,
  type TrainedWeight,
  trainedNetwork,
  trainedPatch,
} from '../../../engine/training/networks/trained.ts';
import { blockOutputs } from '../../../engine/training/step.ts';
import { clipEncoderKind } from '../../../engine/values/clip-encoder.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type WeightSource, sub as within } from '../../../engine/weights/source.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';

interface Params {
  readonly model: string;
  readonly prefix?: string;
  readonly kind?: string;
  readonly rows_in_loss?: number;
  readonly sum_of_losses?: readonly string[];
  readonly norm_names?: readonly string[];
}
type Golden = GoldenCase<Params>;

/** A case's network with its loss, and what it is fed. */
interface Case {
  readonly source: WeightSource;
  readonly build: (g: Graph) => Record<string, Tensor> & { readonly loss: Tensor };
  readonly inputs: Readonly<Record<string, SessionInput>>;
}

const runtime = goldenRuntime();

const mse = (prediction: Tensor, target: Tensor): Tensor => {
  const difference = sub(prediction, target);
  const axes = prediction.shape.map((_, axis) => axis);
  return mean(mul(difference, difference), axes);
};

async function caseOf(golden: Golden, dir: string): Promise<Case> {
  const path = await gunzipped(modelFile(dir, 'training/unet-grad', golden.params.model));
  const file = await openSafetensors(path);
  if (golden.params.prefix !== undefined) return clipCase(golden, file);
  return golden.has('in.t') ? fluxCase(golden, file) : unetCase(golden, file);
}

function unetCase(golden: Golden, file: WeightSource): Case {
  const source = within(file, 'model.diffusion_model.');
  const config = detectUNet(openWeights(source))!;
  const y = golden.optional('in.y');
  return {
    source,
    inputs: {
      x: golden.array('in.x'),
      timesteps: floats(golden.numbers('in.timesteps')),
      context: golden.array('in.context'),
      noise: golden.array('in.noise'),
      ...(y && { y }),
    },
    build: (g) => {
      const x = g.input('x', 'f32', ['batch', config.inChannels, 'height', 'width']);
      const timesteps = g.input('timesteps', 'f32', ['batch']);
      const context = g.input('context', 'f32', ['batch', 'tokens', config.contextWidth!]);
      const given = { x, timesteps, context };
      const eps = unet(
        g.weights,
        y ? { ...given, y: g.input('y', 'f32', ['batch', config.admWidth!]) } : given,
        config,
      );
      return { eps, x, context, loss: mse(eps, g.input('noise', 'f32', x.shape)) };
    },
  };
}

async function fluxCase(golden: Golden, file: WeightSource): Promise<Case> {
  const { source, family, config } = await diffusionModelOf(file, families);
  const [x0, noise, t] = ['in.x0', 'in.noise', 'in.t'].map(golden.array);
  const row = x0.data.length / t.data.length;
  const mixed = x0.data.map((v, i) => {
    const share = t.data[Math.floor(i / row)];
    return (1 - share) * v + share * noise.data[i];
  });
  const guidance = golden.optional('in.guidance');
  return {
    source,
    inputs: {
      x: { data: mixed, shape: x0.shape },
      timesteps: t,
      cross: golden.array('in.context'),
      pooled: golden.array('in.y'),
      ...(guidance && { guidance }),
      target: { data: noise.data.map((v, i) => v - x0.data[i]), shape: x0.shape },
    },
    build: (g) => {
      const { out } = family.network(g, config, new Set(guidance ? ['guidance'] : []));
      return { pred: out, loss: mse(out, g.input('target', 'f32', out.shape)) };
    },
  };
}

function clipCase(golden: Golden, file: WeightSource): Case {
  const { prefix, rows_in_loss: rows, sum_of_losses: terms } = golden.params;
  const source = clipEncoderKind.normalise(within(file, prefix!));
  const config = detectClip(openWeights(source))!;
  const isG = prefix!.includes('embedders.1');
  const isLast = terms!.includes('last');
  const tokens = golden.numbers('in.tokens');
  const [count, length] = tokens.shape;
  const last = Math.max(...tokens.data);
  const end = new Float32Array(count * length);
  for (let row = 0; row < count; row++) end[tokens.data.indexOf(last, row * length)] = 1;
  return {
    source,
    inputs: {
      tokens: { ids: tokens.data, shape: tokens.shape },
      end: { data: end, shape: [count, 1, length] },
      ...Object.fromEntries(
        terms!.map((name) => [`target.${name}`, golden.array(`in.target.${name}`)]),
      ),
    },
    build: (g) => {
      const given = {
        tokens: g.input('tokens', 'i64', ['batch', config.positions]),
        end: g.input('end', 'f32', ['batch', 1, config.positions]),
      };
      const { hidden, pooled } = clipText(g.weights, given, {
        activation: isG ? 'gelu' : 'quickGelu',
        layer: isLast ? -1 : -2,
        finalNorm: isLast,
        projected: isG,
      });
      const answers: Record<string, Tensor> = { [terms![0]]: slice(hidden, 1, 0, rows) };
      if (isG) answers.projected = pooled;
      const losses = terms!.map((name) =>
        mse(answers[name], g.input(`target.${name}`, 'f32', answers[name].shape)),
      );
      return { ...answers, loss: losses.reduce((a, b) => add(a, b)) };
    },
  };
}

const floats = ({
  data,
  shape,
}: {
  data: readonly number[];
  shape: readonly number[];
}): NDArray => ({
  data: Float32Array.from(data),
  shape,
});

/** What gradients are asked for, by the case's names: the parts of adapters, or weights and inputs. */
interface Wanted {
  readonly patches: readonly TrainedPatch[];
  readonly tensors: (weights: Weights, built: Record<string, Tensor>) => Map<string, Tensor>;
}

/** Adapters are trained without alpha, which is their scale. */
async function adapters(path: string, source: WeightSource): Promise<Wanted> {
  const { entries } = await readAdapters(within(await openSafetensors(path), 'in.'));
  const names = new Map<string, string>();
  const weights = entries.flatMap(({ name, kind, parts: { alpha, ...own } }): TrainedWeight[] => {
    const key = `${name}.weight`;
    const stored = source.tensors.get(key);
    if (!kind || !stored) return [];
    const rank = kind.rank?.(own);
    const scale = alpha === undefined || rank === undefined ? 1 : alpha.data[0] / rank;
    for (const part of Object.keys(own)) names.set(`${key}/${part}`, name + kind.parts[part][0]);
    return [{ name: key, key, act: kind.act(own, stored.shape)!, scale }];
  });
  const network = trainedNetwork(weights);
  const patch = trainedPatch(network, network.start());
  return {
    patches: [patch],
    tensors: () => new Map(patch.parts().map(([{ name }, tensor]) => [names.get(name)!, tensor])),
  };
}

/** The parameters of the network that the case gives norms of, and its inputs. */
const everything = ({ params }: Golden): Wanted => ({
  patches: [],
  tensors: (weights, built) => {
    const wanted = params.norm_names!.map((name) => [name, weights.param(name)] as const);
    const inputs = ['x', 'context'].flatMap((name) =>
      built[name] ? [[name, built[name]] as const] : [],
    );
    return new Map([...wanted, ...inputs]);
  },
});

/** The case's answers and gradients, with blocks kept or computed anew. */
async function computed(
  { source, build, inputs }: Case,
  { patches, tensors }: Wanted,
  recompute: boolean,
): Promise<Record<string, NDArray>> {
  const key = JSON.stringify([source.identity, 'training', Math.random()]);
  const session = await runtime.session(key, () =>
    trace('gradients', openWeights(source, patches), (g) => {
      const { x, context, ...answers } = build(g);
      const wanted = tensors(g.weights, { x, context });
      const kept = recompute ? blockOutputs(g.weights.ledger) : undefined;
      const found = gradients(answers.loss, [...wanted.values()], { kept });
      const named = [...wanted.keys()].map((name, i) => [`grad.${name}`, found[i]] as const);
      return { ...answers, ...Object.fromEntries(named) };
    }),
  );
  const feeds = await feedsOf(patches, { rows: 1 });
  return session.run({ ...inputs, ...feeds });
}

const euclid = ({ data }: NDArray): number => Math.sqrt(data.reduce((sum, v) => sum + v * v, 0));
const total = ({ data }: NDArray): number => data.reduce((sum, v) => sum + v, 0);

/** Each tensor may be off by a share of its own largest number. */
function near(name: string, got: NDArray, expected: NDArray): Comparison {
  const largest = expected.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return compare(name, got, expected, { atol: 2e-4 * largest + 1e-7, rtol: 0 });
}

/** The first rows, or those of `ids`, of what a case holds in part. */
function rowsLike(got: NDArray, { shape }: NDArray, ids?: readonly number[]): NDArray {
  if (got.data.length === sizeOf(shape)) return { data: got.data, shape }; // files keep a kernel's axes
  const width = got.data.length / got.shape[0];
  const data = new Float32Array(shape[0] * width);
  for (let i = 0; i < shape[0]; i++) {
    const from = (ids ? ids[i] : i) * width;
    data.set(got.data.subarray(from, from + width), i * width);
  }
  return { data, shape: [shape[0], ...got.shape.slice(1)] };
}

/** Runs a case; the gradients with blocks computed anew must be the same to the bit. */
export async function run(dir: string, name: string): Promise<CaseResult> {
  const path = join(dir, `${name}.safetensors`);
  const golden = await openCase<Params>(path);
  const network = await caseOf(golden, dir);
  const wanted =
    golden.params.kind === undefined ? everything(golden) : await adapters(path, network.source);
  const got = await computed(network, wanted, false);
  const again = await computed(network, wanted, true);
  const comparisons: Comparison[] = [];
  for (const tensor of golden.names.filter((each) => each.startsWith('out.'))) {
    const own = tensor.slice(4);
    if (['norms', 'sums', 'token_ids'].includes(own)) continue;
    const expected = golden.array(tensor);
    const ids = own.includes('token_embedding') ? golden.numbers('out.token_ids').data : undefined;
    comparisons.push(near(tensor, rowsLike(got[own], expected, ids), expected));
  }
  const { norm_names: names = [] } = golden.params;
  for (const [what, measure] of [
    ['norms', euclid],
    ['sums', total],
  ] as const) {
    if (!golden.has(`out.${what}`)) continue;
    const expected = golden.array(`out.${what}`);
    const norms = golden.array('out.norms');
    names.forEach((weight, i) => {
      const one = (value: number): NDArray => ({ data: Float32Array.of(value), shape: [1] });
      const { data, shape } = got[`grad.${weight}`];
      // a sum of n numbers of both signs is as exact as their size allows
      const room = what === 'sums' ? norms.data[i] * Math.sqrt(data.length) : 0;
      const tolerance = { atol: 2e-4 * room + 1e-6, rtol: 2e-4 };
      comparisons.push(
        compare(
          `${what} ${weight}`,
          one(measure({ data, shape })),
          one(expected.data[i]),
          tolerance,
        ),
      );
    });
  }
  for (const each of Object.keys(got)) {
    comparisons.push(compare(`recomputed ${each}`, again[each], got[each], { atol: 0, rtol: 0 }));
  }
  return { comparisons };
}
