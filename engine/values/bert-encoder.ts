/** BERT as a text encoder. */
import { type BertConfig, bert, detectBert } from '../arch/bert.ts';
import { chineseRoberta } from '../arch/families/sequence-encoders.ts';
import type { BertSpec } from '../arch/sequence-spec.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { Graph } from '../tensor/trace.ts';
import type { Token } from '../text/token-batches.ts';
import { arrangeTokens, hasVectors, paddingScores, tokenFeeds } from './arrange-tokens.ts';
import type { EncodedRow } from './kept-rows.ts';
import { type NetworkRun, openNetwork } from './network.ts';
import { encodeSequence, insertedInput, tokenizeSequence } from './sequence-encoder.ts';
import type { TextEncoder, TextEncoderKind } from './text-encoder.ts';

export interface BertEncoder extends TextEncoder {
  readonly spec: BertSpec;
  readonly config: BertConfig;
}

export const bertEncoderKind: TextEncoderKind<BertEncoder> = {
  titles: { hydit_clip: "HunyuanDiT's BERT" },
  normalise: (source) => source,
  identify: (source) => (detectBert(openWeights(source)) ? chineseRoberta : undefined),
  open(source, spec) {
    const config = detectBert(openWeights(source));
    return config && { kind: bertEncoderKind, spec, source, config, patches: [] };
  },
  tokenize: tokenizeSequence,
  encode: (encoder, batches, run) =>
    encodeSequence(encoder, batches, run, (row) => runRow(encoder, row, run)),
};

/** A row of tokens through the network. */
async function runRow(
  encoder: BertEncoder,
  row: readonly Token[],
  run: NetworkRun,
): Promise<EncodedRow> {
  const { config, spec, lastLayer = -1 } = encoder;
  const { places, attended } = arrangeTokens(row, config.width, spec);
  const inserts = hasVectors(places);
  // beyond the first layer means "no skip at all"
  const layer = -lastLayer > config.layers ? -1 : lastLayer;
  const build = (g: Graph) => {
    const tokens = g.input('tokens', 'i64', ['batch', 'tokens']);
    const inserted = inserts ? insertedInput(g, config.width) : undefined;
    const padding = g.input('padding', 'f32', ['batch', 1, 1, 'tokens']);
    return { hidden: bert(g.weights, { tokens, inserted, padding }, layer) };
  };
  const about = { name: spec.name, role: 'text-encoder' } as const;
  const network = openNetwork(run, encoder, { ...about, settings: { layer, inserts }, build });
  const padding = { data: paddingScores(attended), shape: [1, 1, 1, places.length] };
  const feeds = { ...tokenFeeds(places, config.width, spec.pad), padding };
  const { hidden } = await network(feeds, { rows: 1 });
  return { hidden: hidden.data, shape: hidden.shape, attended };
}
