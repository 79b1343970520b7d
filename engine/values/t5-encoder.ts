/** T5 as a text encoder, in all its sizes. */
import type { T5Spec } from '../arch/sequence-spec.ts';
import { type T5Config, detectT5, distanceBuckets, t5Encoder } from '../arch/t5.ts';
import { t5ByShape } from '../arch/families/sequence-encoders.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { Graph } from '../tensor/trace.ts';
import type { Token } from '../text/token-batches.ts';
import { arrangeTokens, hasVectors, paddingScores, tokenFeeds } from './arrange-tokens.ts';
import type { EncodedRow } from './kept-rows.ts';
import { type NetworkRun, openNetwork } from './network.ts';
import { encodeSequence, insertedInput, tokenizeSequence } from './sequence-encoder.ts';
import type { TextEncoder, TextEncoderKind } from './text-encoder.ts';

export interface T5Encoder extends TextEncoder {
  readonly spec: T5Spec;
  readonly config: T5Config;
}

export const t5EncoderKind: TextEncoderKind<T5Encoder> = {
  titles: {
    t5xxl: 'T5-XXL',
    t5xxl_old: 'T5-XXL 1.0',
    pile_t5xl: 'Pile-T5-XL',
    umt5xxl: 'UMT5-XXL',
    mt5xl: 'mT5-XL',
    t5base: 'T5 base',
    umt5base: 'UMT5 base',
    byt5_small: 'ByT5 small',
  },
  normalise: (source) => source,
  identify(source) {
    const config = detectT5(openWeights(source));
    return config && t5ByShape(config, source.tensors);
  },
  open(source, spec) {
    const config = detectT5(openWeights(source));
    return config && { kind: t5EncoderKind, spec, source, config, patches: [] };
  },
  tokenize: tokenizeSequence,
  encode: (encoder, batches, run) =>
    encodeSequence(encoder, batches, run, (row) => runRow(encoder, row, run)),
};

/** A row of tokens through the network. */
async function runRow(
  encoder: T5Encoder,
  row: readonly Token[],
  run: NetworkRun,
): Promise<EncodedRow> {
  const { spec, config } = encoder;
  const { places, attended } = arrangeTokens(row, config.width, spec);
  const inserts = hasVectors(places);
  const { length } = places;
  const buckets = { ids: distanceBuckets(length), shape: [length, length] };
  const inputs = { ...tokenFeeds(places, config.width, spec.pad), buckets };
  const padding = { data: paddingScores(attended), shape: [1, 1, 1, length] };
  const network = openEncoder(encoder, inserts, run);
  const { hidden } = await network(spec.masked ? { ...inputs, padding } : inputs, { rows: 1 });
  return { hidden: hidden.data, shape: hidden.shape, attended };
}

function openEncoder(encoder: T5Encoder, inserts: boolean, run: NetworkRun) {
  const { spec, config, lastLayer = -1 } = encoder;
  // beyond the first layer means "no skip at all"
  const layer = -lastLayer > config.layers ? -1 : lastLayer;
  const build = (g: Graph) => {
    const tokens = g.input('tokens', 'i64', ['batch', 'tokens']);
    const buckets = g.input('buckets', 'i64', ['tokens', 'tokens']);
    const inserted = inserts ? insertedInput(g, config.width) : undefined;
    const padding = spec.masked ? g.input('padding', 'f32', ['batch', 1, 1, 'tokens']) : undefined;
    return { hidden: t5Encoder(g.weights, { tokens, buckets, inserted, padding }, layer) };
  };
  const settings = { layer, inserts, masked: spec.masked };
  const about = { name: spec.name, role: 'text-encoder', fullPrecision: true } as const;
  return openNetwork(run, encoder, { ...about, settings, build });
}
