/** CLIP as a text encoder: tokens of 77, emphasis by distance from the empty prompt, a pooled output. */
import { type ClipConfig, clipText, detectClip } from '../arch/clip.ts';
import type { ClipSpec, EncodedText } from '../arch/family.ts';
import { clipsByLayers } from '../arch/families/text-encoders.ts';
import type { Graph } from '../tensor/trace.ts';
import { openWeights } from '../tensor/cursor.ts';
import { CLIP_END, CLIP_START, clipTokenizer } from '../text/clip-bpe.ts';
import { embeddingTokens } from '../text/embeddings.ts';
import { type Token, type TokenBatch, tokenize } from '../text/token-batches.ts';
import { clipNames } from '../weights/key-maps/open-clip.ts';
import { type EncodedRow, keptRow } from './kept-rows.ts';
import { type NetworkRun, openNetwork } from './network.ts';
import type { TextEncoder, TextEncoderKind } from './text-encoder.ts';

/** A CLIP text model of a file, under huggingface's names. */
export interface ClipEncoder extends TextEncoder {
  readonly spec: ClipSpec;
  readonly config: ClipConfig;
  readonly special: SpecialTokens;
}

/** Ids that mean something else than text. */
export interface SpecialTokens {
  readonly start: number;
  readonly end: number;
  readonly pad: number;
}

export const clipEncoderKind: TextEncoderKind<ClipEncoder> = {
  titles: { clip_l: 'CLIP-L', clip_g: 'CLIP-G', clip_h: 'CLIP-H' },
  normalise: clipNames,
  identify(source) {
    const { layers = 0 } = detectClip(openWeights(source)) ?? {};
    return clipsByLayers.find(({ atLeast }) => layers >= atLeast)?.spec;
  },
  open(source, spec) {
    const config = detectClip(openWeights(source));
    if (!config) return undefined;
    const pad = spec.pad === 'end' ? CLIP_END : 0;
    const special = { start: CLIP_START, end: CLIP_END, pad };
    return { kind: clipEncoderKind, spec, source, config, special, patches: [] };
  },
  tokenize: ({ spec, config, special }, text, files) =>
    tokenize(text, {
      tokenizer: clipTokenizer(),
      ...special,
      capacity: config.positions,
      ...embeddingTokens(files, { key: spec.name, width: config.width }),
    }),
  encode: encodeTokens,
};

/** Very negative but finite, so that a row of nothing but padding gives no NaN. */
const maskedScore = -3.4028234663852886e38;

/**
 * Encodes each batch that is not known. Where a weight differs from 1, the distance of the token's hidden
 * state from that of an empty prompt is multiplied by it (ComfyUI's emphasis); pooled is never weighted.
 */
async function encodeTokens(
  encoder: ClipEncoder,
  batches: readonly TokenBatch[],
  run: NetworkRun,
): Promise<EncodedText> {
  const { special } = encoder;
  const weighted = batches.some(({ weights }) => weights.some((weight) => weight !== 1));
  const rows: (readonly Token[])[] = batches.map(({ ids }) => ids);
  if (weighted) {
    const longest = Math.max(...rows.map((row) => row.length));
    const padding = new Array<number>(longest - 2).fill(special.pad);
    rows.push([special.start, special.end, ...padding]);
  }
  const encoded: EncodedRow[] = [];
  // Each alone: in a batch sums are made in another order, and a seed's picture would depend on what was known.
  for (const row of rows) {
    const encode = (): Promise<EncodedRow> => runRow(encoder, row, run);
    encoded.push(await keptRow(encoder, run.runtime, row, encode));
  }
  const width = encoder.config.width;
  const data = new Float32Array(batches.length * encoded[0].hidden.length);
  batches.forEach(({ ids, weights }, b) => {
    const start = b * ids.length * width;
    data.set(encoded[b].hidden, start);
    if (weighted) emphasise(data, start, weights, encoded[batches.length].hidden);
  });
  const { pooled } = encoded[0];
  return {
    hidden: { data, shape: [1, data.length / width, width] },
    pooled: { data: pooled.slice(), shape: [1, pooled.length] },
  };
}

/** A row of tokens through the network. */
async function runRow(
  encoder: ClipEncoder,
  row: readonly Token[],
  run: NetworkRun,
): Promise<EncodedRow> {
  const { inputs, inserts } = encoderInputs(row, encoder);
  const { hidden, pooled } = await openEncoder(encoder, inserts, run)(inputs, { rows: 1 });
  return { hidden: hidden.data, pooled: pooled.data };
}

/** z = (z - empty)·weight + empty for the tokens of one batch, in place, in fp32 steps. */
function emphasise(
  data: Float32Array,
  start: number,
  weights: readonly number[],
  empty: Float32Array,
): void {
  const width = empty.length / weights.length;
  weights.forEach((exact, token) => {
    if (exact === 1) return;
    const weight = Math.fround(exact);
    for (let i = token * width; i < (token + 1) * width; i++) {
      const distance = Math.fround(data[start + i] - empty[i]);
      data[start + i] = Math.fround(distance * weight) + empty[i];
    }
  });
}

/** The network of this encoder and setting; prompts without inserted vectors share one. */
function openEncoder(encoder: ClipEncoder, inserts: boolean, run: NetworkRun) {
  const { spec, config, lastLayer } = encoder;
  // beyond the first layer means "no skip at all", and then the norm is always on
  const missing = config.layers === spec.shortened ? 1 : 0;
  const whole = lastLayer !== undefined && -lastLayer > config.layers + missing;
  const { activation, projected, maskPadding } = spec;
  const layer = whole ? -1 : Math.min(-1, (lastLayer ?? spec.layer) + missing);
  const options = { activation, projected, layer, finalNorm: whole || spec.finalNorm };
  const n = config.positions;
  const build = (g: Graph) => {
    const tokens = g.input('tokens', 'i64', ['batch', n]);
    const end = g.input('end', 'f32', ['batch', 1, n]);
    const inserted = !inserts
      ? undefined
      : {
          keep: g.input('keep', 'f32', ['batch', n, 1]),
          rows: g.input('rows', 'f32', ['batch', n, config.width]),
        };
    const padding = !maskPadding ? undefined : g.input('padding', 'f32', ['batch', 1, 1, n]);
    return { ...clipText(g.weights, { tokens, end, inserted, padding }, options) };
  };
  const settings = { ...options, inserts, maskPadding };
  return openNetwork(run, encoder, { name: spec.name, role: 'text-encoder', settings, build });
}

/** A row of tokens and vectors as the encoder's inputs. */
function encoderInputs(row: readonly Token[], { config, spec, special }: ClipEncoder) {
  const { length } = row;
  const ids = new BigInt64Array(length);
  const end = new Float32Array(length);
  const keep = new Float32Array(length).fill(1);
  const vectors = new Float32Array(length * config.width);
  const padding = new Float32Array(length);
  const { places, attended } = arrange(row, config.width, special);
  const inserts = places.some((token) => typeof token !== 'number');
  places.forEach((token, i) => {
    if (typeof token === 'number') ids[i] = BigInt(token);
    else {
      ids[i] = BigInt(special.pad);
      keep[i] = 0;
      vectors.set(token.vector, i * config.width);
    }
    if (!attended[i]) padding[i] = maskedScore;
  });
  end[attended.filter(Boolean).length - 1] = 1;
  const inputs = {
    tokens: { ids, shape: [1, length] },
    end: { data: end, shape: [1, 1, length] },
    ...(inserts && {
      keep: { data: keep, shape: [1, length, 1] },
      rows: { data: vectors, shape: [1, length, config.width] },
    }),
    ...(spec.maskPadding && { padding: { data: padding, shape: [1, 1, 1, length] } }),
  };
  return { inputs, inserts };
}

/**
 * Vectors of another width are dropped and made up for by padding behind the row. Attended is
 * everything up to the first end token, and every vector.
 */
function arrange(
  row: readonly Token[],
  width: number,
  special: SpecialTokens,
): { places: Token[]; attended: boolean[] } {
  const fits = (token: Token) => typeof token === 'number' || token.vector.length === width;
  const places = row.filter(fits);
  let ended = false;
  const attended = places.map((token) => {
    if (typeof token !== 'number') return true;
    const seen = !ended;
    ended ||= token === special.end;
    return seen;
  });
  while (places.length < row.length) {
    places.push(special.pad);
    attended.push(false);
  }
  return { places, attended };
}
