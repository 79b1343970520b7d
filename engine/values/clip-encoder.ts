/** CLIP as a text encoder: tokens of 77, emphasis by distance from the empty prompt, a pooled output. */
import { type ClipConfig, clipText, detectClip } from '../arch/clip.ts';
import type { ClipSpec, EncodedText } from '../arch/family.ts';
import { clipsByLayers } from '../arch/families/text-encoders.ts';
import type { SessionInput } from '../runtime/runtime.ts';
import type { Graph } from '../tensor/trace.ts';
import { openWeights } from '../tensor/cursor.ts';
import { CLIP_END, CLIP_START, clipTokenizer } from '../text/clip-bpe.ts';
import { embeddingTokens } from '../text/embeddings.ts';
import { type Token, type TokenBatch, tokenize } from '../text/token-batches.ts';
import { clipNames } from '../weights/key-maps/open-clip.ts';
import { arrangeTokens, hasVectors, paddingScores, tokenFeeds } from './arrange-tokens.ts';
import { encodeRows } from './encode-rows.ts';
import type { EncodedRow } from './kept-rows.ts';
import { type Architecture, type NetworkRun, openNetwork } from './network.ts';
import type { RowCall, TextEncoder, TextEncoderKind } from './text-encoder.ts';

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
  row: { call: rowCall, empty: emptyRow },
};

/** Hidden states with emphasis; pooled is that of the first batch, and never weighted. */
async function encodeTokens(
  encoder: ClipEncoder,
  batches: readonly TokenBatch[],
  run: NetworkRun,
): Promise<EncodedText> {
  const { hidden, rows } = await encodeRows(
    {
      encoder,
      empty: (length) => emptyRow(encoder, length),
      encode: (row) => runRow(encoder, row, run),
    },
    batches,
    run.runtime,
  );
  const { width } = encoder.config;
  const pooled = rows[0].pooled!;
  return {
    hidden: { data: hidden, shape: [1, hidden.length / width, width] },
    pooled: { data: pooled.slice(), shape: [1, pooled.length] },
  };
}

function emptyRow({ special: { start, end, pad } }: ClipEncoder, length: number): Token[] {
  return [start, end, ...new Array<number>(Math.max(length - 2, 0)).fill(pad)];
}

/** A row of tokens through the network. */
async function runRow(
  encoder: ClipEncoder,
  row: readonly Token[],
  run: NetworkRun,
): Promise<EncodedRow> {
  const { architecture, inputs } = rowCall(encoder, row);
  const { hidden, pooled } = await openNetwork(run, encoder, architecture)(inputs, { rows: 1 });
  return { hidden: hidden.data, shape: hidden.shape, pooled: pooled.data };
}

function rowCall(encoder: ClipEncoder, row: readonly Token[]): RowCall {
  const { inputs, inserts } = encoderInputs(row, encoder);
  return { architecture: architectureOf(encoder, inserts), inputs };
}

/** The network of this encoder and setting; prompts without inserted vectors share one. */
function architectureOf(encoder: ClipEncoder, inserts: boolean): Architecture {
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
  return { name: spec.name, role: 'text-encoder', settings, build };
}

/** A row of tokens and vectors as the encoder's inputs. */
function encoderInputs(row: readonly Token[], { config, spec, special }: ClipEncoder) {
  const { length } = row;
  const { places, attended } = arrangeTokens(row, config.width, special);
  const end = new Float32Array(length);
  end[attended.filter(Boolean).length - 1] = 1;
  const inputs: Record<string, SessionInput> = {
    ...tokenFeeds(places, config.width, special.pad),
    end: { data: end, shape: [1, 1, length] },
  };
  if (spec.maskPadding) {
    inputs.padding = { data: paddingScores(attended), shape: [1, 1, 1, length] };
  }
  return { inputs, inserts: hasVectors(places) };
}
