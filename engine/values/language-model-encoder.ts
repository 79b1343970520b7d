/** Language models as text encoders: Llama, Qwen, Mistral, Gemma. */
import { languageModelByShape } from '../arch/families/sequence-encoders.ts';
import {
  type LanguageModelConfig,
  detectLanguageModel,
  languageModel,
  ropeTables,
} from '../arch/language-model.ts';
import type { LanguageModelSpec } from '../arch/sequence-spec.ts';
import type { SessionInput } from '../runtime/runtime.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { Graph } from '../tensor/trace.ts';
import type { Token, TokenBatch } from '../text/token-batches.ts';
import { rename } from '../weights/source.ts';
import { arrangeTokens, hasVectors, paddingScores, tokenFeeds } from './arrange-tokens.ts';
import type { EncodedRow } from './kept-rows.ts';
import { type NetworkRun, openNetwork } from './network.ts';
import {
  type SeenPicture,
  picturePositions,
  seePicture,
  withSeenPictures,
} from './qwen-pictures.ts';
import { encodeSequence, insertedInput, tokenizeSequence } from './sequence-encoder.ts';
import type { TextEncoder, TextEncoderKind } from './text-encoder.ts';

export interface LanguageModelEncoder extends TextEncoder {
  readonly spec: LanguageModelSpec;
  readonly config: LanguageModelConfig;
}

/** Models that see and read have their parts below one name. */
const INNER = /^model\.(language_model\.|(?=visual\.))/;

export const languageModelKind: TextEncoderKind<LanguageModelEncoder> = {
  titles: {
    llama: 'Llama 3 8B',
    gemma2_2b: 'Gemma 2 2B',
    gemma3_4b: 'Gemma 3 4B',
    gemma3_12b: 'Gemma 3 12B',
    qwen25_3b: 'Qwen2.5 3B',
    qwen25_7b: 'Qwen2.5-VL 7B',
    qwen3_06b: 'Qwen3 0.6B',
    qwen3_2b: 'Ovis 2.5 (Qwen3 2B)',
    qwen3_4b: 'Qwen3 4B',
    qwen3_8b: 'Qwen3 8B',
    mistral3_24b: 'Mistral 3 Small',
  },
  normalise: (source) =>
    [...source.tensors.keys()].some((key) => key.startsWith('model.language_model.'))
      ? rename(source, (key) => key.replace(INNER, (_, part: string) => (part ? 'model.' : '')), {
          tag: 'language-model',
        })
      : source,
  identify: (source) => languageModelByShape(openWeights(source)),
  open(source, spec) {
    const config = detectLanguageModel(openWeights(source), spec.facts);
    return config && { kind: languageModelKind, spec, source, config, patches: [] };
  },
  tokenize: tokenizeSequence,
  encode: (encoder, batches, run) =>
    encodeSequence(encoder, batches, run, (row, batch) => runRow(encoder, row, run, batch)),
};

/** A row of tokens through the network. */
async function runRow(
  encoder: LanguageModelEncoder,
  row: readonly Token[],
  run: NetworkRun,
  batch?: TokenBatch,
): Promise<EncodedRow> {
  const { spec, config } = encoder;
  const { row: whole, spans } = withSeenPictures(row, await seeAll(encoder, run, batch?.pictures));
  const { places, attended } = arrangeTokens(whole, config.width, spec);
  const { length } = places;
  const inputs: Record<string, SessionInput> = tokenFeeds(places, config.width, spec.pad);
  const positions =
    spans.length > 0 ? picturePositions(length, spans) : [Array.from({ length }, (_, i) => i)];
  spec.facts.rope.forEach((rope, i) => {
    const { cos, sin } = ropeTables(positions, config, rope, spec.facts.ropeSections);
    inputs[`cos${i}`] = { data: cos, shape: [length, config.headSize / 2] };
    inputs[`sin${i}`] = { data: sin, shape: [length, config.headSize / 2] };
  });
  if (spec.masked) inputs.padding = { data: paddingScores(attended), shape: [1, 1, 1, length] };
  const network = openEncoder(encoder, hasVectors(places), run);
  const { hidden } = await network(inputs, { rows: 1 });
  return { hidden: hidden.data, shape: hidden.shape, attended };
}

/** What stands for each picture. */
async function seeAll(
  encoder: LanguageModelEncoder,
  run: NetworkRun,
  pictures: TokenBatch['pictures'] = new Map(),
): Promise<ReadonlyMap<number, SeenPicture>> {
  const seen = new Map<number, SeenPicture>();
  for (const [place, picture] of pictures) {
    seen.set(place, await seePicture(encoder, encoder.spec.visionHeads ?? 1, picture, run));
  }
  return seen;
}

function openEncoder(encoder: LanguageModelEncoder, inserts: boolean, run: NetworkRun) {
  const { spec, config, lastLayer } = encoder;
  const { facts, masked } = spec;
  const states = skipped(spec.states, lastLayer, config.layers);
  const build = (g: Graph) => {
    const tokens = g.input('tokens', 'i64', ['batch', 'tokens']);
    const inserted = inserts ? insertedInput(g, config.width) : undefined;
    const half = config.headSize / 2;
    const turns = facts.rope.map((_, i) => ({
      cos: g.input(`cos${i}`, 'f32', ['tokens', half]),
      sin: g.input(`sin${i}`, 'f32', ['tokens', half]),
    }));
    const padding = masked ? g.input('padding', 'f32', ['batch', 1, 1, 'tokens']) : undefined;
    const inputs = { tokens, inserted, turns, padding };
    return { hidden: languageModel(g.weights, inputs, states, { facts, config }) };
  };
  const settings = { states: String(states), inserts, masked, headSize: config.headSize };
  const about = { name: spec.name, role: 'text-encoder', fullPrecision: true } as const;
  return openNetwork(run, encoder, { ...about, settings, build });
}

/** CLIPSetLastLayer on a language model; beyond the first layer means "no skip at all". */
function skipped(
  states: LanguageModelSpec['states'],
  lastLayer: number | undefined,
  layers: number,
): LanguageModelSpec['states'] {
  if (lastLayer === undefined || states === 'all') return states;
  return -lastLayer > layers ? 'last' : lastLayer;
}
