/** Golden area `text-encoders`: CLIP text models with skips, emphasis, chunks and inserted vectors. */
import { join } from 'node:path';
import type { NDArray } from '../../../engine/array/nd.ts';
import { clipText } from '../../../engine/arch/clip.ts';
import type { ClipSpec, EncodedText } from '../../../engine/arch/family.ts';
import { sdxl } from '../../../engine/arch/families/sdxl.ts';
import { t5xxlOfFlux } from '../../../engine/arch/families/sequence-encoders.ts';
import {
  clipG,
  clipGOfCascade,
  clipH,
  clipL,
  clipLOfXl,
} from '../../../engine/arch/families/text-encoders.ts';
import { distanceBuckets } from '../../../engine/arch/t5.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import type { TokenBatch } from '../../../engine/text/token-batches.ts';
import {
  type ClipEncoder,
  type SpecialTokens,
  clipEncoderKind,
} from '../../../engine/values/clip-encoder.ts';
import { openTextEncoder } from '../../../engine/values/text-encoders.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { sub } from '../../../engine/weights/source.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, compare, type GoldenArea } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { type GoldenCase, openCase } from '../open-case.ts';
import { modelFile } from '../model-file.ts';

interface Params {
  readonly op: string;
  readonly model: string;
  readonly model_l: string;
  readonly model_g: string;
  readonly prefix?: string;
  readonly special: SpecialTokens;
  readonly special_l: SpecialTokens;
  readonly special_g: SpecialTokens;
  readonly clip_skip?: Readonly<Record<string, number | null>>;
}

type Golden = GoldenCase<Params>;

const runtime = goldenRuntime();

/** How each kind of case uses its encoder. */
const specs: Readonly<Record<string, ClipSpec>> = {
  clip_l: clipL,
  clip_h: clipH,
  clip_g: clipG,
  clip_g_cascade: clipGOfCascade,
};

/** The small models of the cases have vocabularies, and so special tokens, of their own. */
async function openEncoder(
  dir: string,
  name: string,
  spec: ClipSpec,
  special: SpecialTokens,
): Promise<ClipEncoder> {
  const file = await openSafetensors(modelFile(dir, 'text-encoders', join('models', name)));
  const prefix = ['conditioner.embedders.1.model.', 'cond_stage_model.model.'].find((start) =>
    [...file.tensors.keys()].some((key) => key.startsWith(start)),
  );
  const source = clipEncoderKind.normalise(prefix === undefined ? file : sub(file, prefix));
  return { ...clipEncoderKind.open(source, spec)!, special };
}

const encode = (
  encoder: ClipEncoder,
  batches: readonly TokenBatch[],
  lastLayer?: number,
): Promise<EncodedText> => clipEncoderKind.encode({ ...encoder, lastLayer }, batches, { runtime });

/** Tokens and weights of a case; -1 stands for the next row of `in.vectors`. */
function batchesOf(golden: Golden, suffix = ''): TokenBatch[] {
  const tokens = golden.numbers(`in.tokens${suffix}`);
  const weights = golden.array(`in.weights${suffix}`).data;
  const vectors = golden.optional('in.vectors');
  const [count, length] = tokens.shape;
  let next = 0;
  return Array.from({ length: count }, (_, b) => {
    const at = (i: number) => b * length + i;
    const ids = Array.from({ length }, (_, i) => {
      const id = tokens.data[at(i)];
      if (id >= 0) return id;
      const width = vectors!.shape[1];
      return { vector: vectors!.data.slice(next * width, ++next * width) };
    });
    const row = Array.from({ length }, (_, i) => weights[at(i)]);
    return { ids, weights: row, wordIds: ids.map(() => 0) };
  });
}

async function single(golden: Golden, dir: string): Promise<CaseResult> {
  const { params } = golden;
  const encoder = await openEncoder(dir, params.model, specs[params.op], params.special);
  const batches = batchesOf(golden);
  const comparisons: Comparison[] = [];
  for (const name of golden.names.filter((key) => key.startsWith('out.cond.'))) {
    const variant = name.slice('out.cond.'.length);
    const { hidden, pooled } = await encode(encoder, batches, skipOf(variant, params));
    comparisons.push(check(golden, name, hidden));
    if (golden.has(`out.pooled.${variant}`)) {
      comparisons.push(check(golden, `out.pooled.${variant}`, pooled!));
    }
  }
  for (const variant of ['projected', 'unprojected']) {
    if (!golden.has(`out.pooled.${variant}`)) continue;
    const spec = { ...encoder.spec, projected: variant === 'projected' };
    const { pooled } = await encode({ ...encoder, spec }, batches);
    comparisons.push(check(golden, `out.pooled.${variant}`, pooled!));
  }
  return { comparisons: [...comparisons, ...(await middle(golden, encoder, batches))] };
}

/** Every block's output against the case's `mid.*` (plain tokens only). */
async function middle(
  golden: Golden,
  { source, config, spec }: ClipEncoder,
  batches: readonly TokenBatch[],
): Promise<Comparison[]> {
  const names = golden.names.filter((key) => key.startsWith('mid.'));
  if (names.length === 0) return [];
  const program = trace('clip', source, (g) => {
    const n = config.positions;
    const tokens = g.input('tokens', 'i64', ['batch', n]);
    const end = g.input('end', 'f32', ['batch', 1, n]);
    clipText(g.weights, { tokens, end }, spec);
    const { sites } = g.weights.ledger;
    return Object.fromEntries(names.map((name) => [name, sites.get(name.slice(4))!]));
  });
  const session = await runtime.session(`mid|${source.identity}`, () => program);
  const shape = [batches.length, batches[0].ids.length];
  const got = await session.run({
    tokens: { ids: batches.flatMap(({ ids }) => ids as number[]), shape },
    end: { data: new Float32Array(shape[0] * shape[1]), shape: [shape[0], 1, shape[1]] },
  });
  return names.map((name) => check(golden, name, got[name]));
}

/** `skip2` is clip skip -2, unless the case spells its variants out. */
function skipOf(variant: string, { clip_skip }: Params): number | undefined {
  if (clip_skip) return clip_skip[variant] ?? undefined;
  const skip = /^skip(\d+)$/.exec(variant);
  return skip ? -Number(skip[1]) : undefined;
}

/** SDXL's two encoders joined; the variants give them different numbers of batches. */
async function pair(golden: Golden, dir: string): Promise<CaseResult> {
  const { params } = golden;
  const l = await openEncoder(dir, params.model_l, clipLOfXl, params.special_l);
  const g = await openEncoder(dir, params.model_g, clipG, params.special_g);
  const [batchesL, batchesG] = [batchesOf(golden, '_l'), batchesOf(golden, '_g')];
  const length = batchesL[0].ids.length;
  const { start, end, pad } = params.special_l;
  const empty: TokenBatch = {
    ids: [start, end, ...new Array<number>(length - 2).fill(pad)],
    weights: new Array<number>(length).fill(1),
    wordIds: new Array<number>(length).fill(0),
  };
  const variants: Readonly<Record<string, readonly TokenBatch[]>> = {
    l1_g2: batchesL.slice(0, 1),
    padded_l: [batchesL[0], ...new Array<TokenBatch>(batchesG.length - 1).fill(empty)],
  };
  const comparisons: Comparison[] = [];
  for (const name of golden.names.filter((key) => key.startsWith('out.cond.'))) {
    const variant = name.slice('out.cond.'.length);
    const clipSkip = skipOf(variant, params);
    const encoded = {
      clip_l: await encode(l, variants[variant] ?? batchesL, clipSkip),
      clip_g: await encode(g, batchesG, clipSkip),
    };
    const { cross, pooled } = sdxl.text.join(encoded);
    comparisons.push(check(golden, name, cross));
    comparisons.push(check(golden, `out.pooled.${variant}`, pooled!));
  }
  return { comparisons };
}

/** T5 with and without mask, zeros for padding, emphasis from the end token or from nothing but padding. */
async function t5(golden: Golden, dir: string): Promise<CaseResult> {
  const source = await openSafetensors(
    modelFile(dir, 'text-encoders', join('models', golden.params.model)),
  );
  const ids = [...golden.numbers('in.tokens').data];
  const batch = (weights: readonly number[]): TokenBatch[] => [
    { ids, weights: [...weights], wordIds: ids.map(() => 0) },
  ];
  const comparisons: Comparison[] = [];
  for (const name of golden.names.filter((key) => key.startsWith('out.cond.'))) {
    const variant = name.slice('out.cond.'.length);
    const encoder = openTextEncoder(source, {
      ...t5xxlOfFlux,
      masked: variant.startsWith('masked'),
      zeroed: variant.startsWith('masked_zeroed'),
      emptyIsPadding: variant.includes('allpad'),
    })!;
    const weights = variant.includes('weighted')
      ? golden.array('in.weights').data
      : ids.map(() => 1);
    const { hidden } = await encoder.kind.encode(encoder, batch([...weights]), { runtime });
    comparisons.push(check(golden, name, hidden));
  }
  const buckets = Array.from(distanceBuckets(601).subarray(300 * 601, 301 * 601), Number);
  const expected = golden.numbers('mid.bucket_from_query0').data;
  const pass = JSON.stringify(buckets) === JSON.stringify(expected);
  comparisons.push({ name: 'mid.bucket_from_query0', maxError: pass ? 0 : 1, tolerance: 0, pass });
  return { comparisons };
}

function check(golden: Golden, name: string, got: NDArray): Comparison {
  return compare(name, got, golden.array(name), golden.tolerance);
}

export const area: GoldenArea = {
  name: 'text-encoders',
  list: async (dir) => goldenFiles(dir, '.safetensors').map((file) => file.slice(0, -12)),
  async run(dir, name) {
    const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
    const { op } = golden.params;
    if (op === 't5') return t5(golden, dir);
    if (op === 'sdxl_pair') return pair(golden, dir);
    return specs[op] ? single(golden, dir) : { skip: `unknown operation '${op}'` };
  },
};
