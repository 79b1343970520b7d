/** STYLE_MODEL: makes tokens beside a prompt's of what a picture encoder saw. */
import { type StyleModelKind, styleModelKinds } from '../arch/style-model.ts';
import { concat } from '../array/batch.ts';
import { scale } from '../array/elementwise.ts';
import { type NDArray, reshape } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import { styleAdapterNames } from '../weights/key-maps/open-clip.ts';
import type { WeightSource } from '../weights/source.ts';
import { type AttentionBias, biasTokens } from './attention-bias.ts';
import type { ClipVisionOutput } from './clip-vision.ts';
import { type Conditioning, withExtra } from './conditioning.ts';
import { instead } from './contents.ts';
import { type NetworkRun, type Weighted, openNetwork } from './network.ts';

export interface StyleModel extends Weighted {
  readonly kind: StyleModelKind;
}

/** The style model of a file. Throws FAMILY_UNKNOWN when it holds none. */
export function openStyleModel(file: WeightSource): StyleModel {
  const kind = styleModelKinds.find(({ marker }) => file.tensors.has(marker));
  if (kind) return { kind, source: styleAdapterNames(file), patches: [] };
  const reason = `it is neither a T2I style adapter nor Flux Redux${instead(file)}`;
  throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason });
}

/** The tokens of all pictures in one sequence: [1, n, width]. Throws BAD_INPUT for another encoder's output. */
export async function styleTokens(
  style: StyleModel,
  { last }: Pick<ClipVisionOutput, 'last'>,
  run: NetworkRun,
): Promise<NDArray> {
  const { kind, source } = style;
  const width = kind.inputWidth(openWeights(source));
  if (last.shape[2] !== width) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'clip_vision_output',
      expected: `hidden states of width ${width}, which ${source.label} was trained on`,
      got: `width ${last.shape[2]}`,
    });
  }
  const network = openNetwork(run, style, {
    name: kind.name,
    build: (g) => ({ out: kind.build(g.weights, g.input('x', 'f32', ['batch', 'tokens', width])) }),
  });
  const { out } = await network({ x: last }, { rows: last.shape[0] });
  return reshape(out, [1, out.shape[0] * out.shape[1], out.shape[2]]);
}

/**
 * Every entry with the tokens behind its text. `multiply` scales the tokens; `attn_bias` leaves them and
 * has the network pay them `strength` times the attention.
 */
export function withStyle(
  conditioning: Conditioning,
  tokens: NDArray,
  strength: number,
  how: 'multiply' | 'attn_bias',
): Conditioning {
  const added = how === 'multiply' ? scale(tokens, strength) : tokens;
  const weight = how === 'multiply' ? 1 : strength;
  return conditioning.map((entry) => {
    checkWidth(entry.cross, added);
    const known = entry.extra?.attention_bias as AttentionBias | undefined;
    const text = entry.cross.shape[1];
    const cross = concat([entry.cross, added], 1);
    if (!known && weight === 1) return { ...entry, cross };
    const bias = biasTokens(known, {
      rows: entry.cross.shape[0],
      text,
      added: added.shape[1],
      weight,
    });
    return { ...withExtra(entry, { attention_bias: bias }), cross };
  });
}

function checkWidth(text: NDArray, tokens: NDArray): void {
  const [expected, got] = [text.shape[2], tokens.shape[2]];
  if (expected === got) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'the style model',
    expected: `tokens as wide as the text (${expected})`,
    got: `${got}; it was made for another model`,
  });
}
