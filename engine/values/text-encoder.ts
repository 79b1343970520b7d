/** One text encoder on batches of weighted tokens: hidden states, emphasis, pooled output. */
import type { NDArray } from '../array/nd.ts';
import { type ClipConfig, clipText } from '../arch/clip.ts';
import type { TextEncoderSpec } from '../arch/family.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { trace } from '../tensor/trace.ts';
import type { Token, TokenBatch } from '../text/token-batches.ts';
import type { WeightSource } from '../weights/source.ts';
import { type WeightPatch, patchedWeights, weightsIdentity } from './weight-patch.ts';

/** A CLIP text model of a file, under huggingface's names, with the way its family uses it. */
export interface TextEncoder {
  readonly spec: TextEncoderSpec;
  readonly source: WeightSource;
  readonly config: ClipConfig;
  readonly patches: readonly WeightPatch[];
}

/** Ids that mean something else than text. */
export interface SpecialTokens {
  readonly start: number;
  readonly end: number;
  readonly pad: number;
}

export interface EncodeOptions {
  readonly special: SpecialTokens;
  /** CLIPSetLastLayer: -1 is the last block. Left out: the family's own choice. */
  readonly clipSkip?: number;
  readonly signal?: AbortSignal;
}

export interface EncodedText {
  /** [1, tokens of all batches, width]. */
  readonly hidden: NDArray;
  /** [1, width], of the first batch. */
  readonly pooled: NDArray;
}

/** Very negative but finite, so that a row of nothing but padding gives no NaN. */
const maskedScore = -3.4028234663852886e38;

/**
 * Encodes all batches in one call. Where a weight differs from 1, the distance of the token's hidden
 * state from that of an empty prompt is multiplied by it (ComfyUI's emphasis); pooled is never weighted.
 */
export async function encodeTokens(
  runtime: Runtime,
  encoder: TextEncoder,
  batches: readonly TokenBatch[],
  options: EncodeOptions,
): Promise<EncodedText> {
  const { special, signal } = options;
  const weighted = batches.some(({ weights }) => weights.some((weight) => weight !== 1));
  const rows: (readonly Token[])[] = batches.map(({ ids }) => ids);
  if (weighted) {
    const longest = Math.max(...rows.map((row) => row.length));
    const padding = new Array<number>(longest - 2).fill(special.pad);
    rows.push([special.start, special.end, ...padding]);
  }
  const { inputs, inserts } = encoderInputs(rows, encoder, special);
  const session = await openEncoder(runtime, encoder, options, inserts);
  const { hidden, pooled } = await session.run(inputs, { signal });

  const [, tokens, width] = hidden.shape;
  const data = hidden.data.slice(0, batches.length * tokens * width);
  if (weighted) {
    const empty = hidden.data.subarray(batches.length * tokens * width);
    batches.forEach(({ weights }, b) => emphasise(data, b * tokens * width, weights, empty));
  }
  return {
    hidden: { data, shape: [1, batches.length * tokens, width] },
    pooled: { data: pooled.data.slice(0, pooled.shape[1]), shape: [1, pooled.shape[1]] },
  };
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

/** The session for this encoder and setting; prompts without inserted vectors share one. */
function openEncoder(
  runtime: Runtime,
  { spec, source, config, patches }: TextEncoder,
  { clipSkip }: EncodeOptions,
  inserts: boolean,
) {
  // beyond the first layer means "no skip at all", and then the norm is always on
  const whole = clipSkip !== undefined && -clipSkip > config.layers;
  const layer = whole ? -1 : (clipSkip ?? spec.layer);
  const finalNorm = whole || spec.finalNorm;
  const { activation, projected, maskPadding } = spec;
  const settings = { activation, projected, layer, finalNorm };
  const identity = weightsIdentity(source, patches);
  const key = JSON.stringify(['clip', identity, settings, inserts, maskPadding]);
  const n = config.positions;
  return runtime.session(key, () =>
    trace(spec.name, patchedWeights(source, patches), (g) => {
      const tokens = g.input('tokens', 'i64', ['batch', n]);
      const end = g.input('end', 'f32', ['batch', 1, n]);
      const inserted = !inserts
        ? undefined
        : {
            keep: g.input('keep', 'f32', ['batch', n, 1]),
            rows: g.input('rows', 'f32', ['batch', n, config.width]),
          };
      const padding = !maskPadding ? undefined : g.input('padding', 'f32', ['batch', 1, 1, n]);
      return { ...clipText(g.weights, { tokens, end, inserted, padding }, settings) };
    }),
  );
}

/** Rows of tokens and vectors as the encoder's inputs. */
function encoderInputs(
  rows: readonly (readonly Token[])[],
  { config, spec }: TextEncoder,
  special: SpecialTokens,
) {
  const [count, length] = [rows.length, rows[0].length];
  const ids = new BigInt64Array(count * length);
  const end = new Float32Array(count * length);
  const keep = new Float32Array(count * length).fill(1);
  const vectors = new Float32Array(count * length * config.width);
  const padding = new Float32Array(count * length);
  const arranged = rows.map((row) => arrange(row, config.width, special));
  const inserts = arranged.some(({ places }) => places.some((token) => typeof token !== 'number'));
  arranged.forEach(({ places, attended }, r) => {
    places.forEach((token, i) => {
      const at = r * length + i;
      if (typeof token === 'number') ids[at] = BigInt(token);
      else {
        ids[at] = BigInt(special.pad);
        keep[at] = 0;
        vectors.set(token.vector, at * config.width);
      }
      if (!attended[i]) padding[at] = maskedScore;
    });
    end[r * length + attended.filter(Boolean).length - 1] = 1;
  });
  const inputs = {
    tokens: { ids, shape: [count, length] },
    end: { data: end, shape: [count, 1, length] },
    ...(inserts && {
      keep: { data: keep, shape: [count, length, 1] },
      rows: { data: vectors, shape: [count, length, config.width] },
    }),
    ...(spec.maskPadding && { padding: { data: padding, shape: [count, 1, 1, length] } }),
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
