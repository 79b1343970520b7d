/** Biases of attention between tokens of a prompt and positions of the picture, as conditioning carries them. */
import { type NDArray, nd } from '../array/nd.ts';
import { f16ToFloat, floatToF16 } from '../weights/float.ts';

/** Rests in an entry's extras as `attention_bias`; networks with joint attention add it to their scores. */
export interface AttentionBias {
  /**
   * [b, n, n] for n = text tokens + picture positions, text first: added to the score of query (row)
   * and key (column).
   */
  readonly bias: NDArray;
  /** The grid of picture positions that the last rows and columns stand for; networks resize it. */
  readonly picture: readonly [height: number, width: number];
}

/**
 * The bias with `added` tokens put behind `text` ones, to which text and picture pay `weight` times the
 * attention (ln weight, a number of 16 bits as the reference keeps it).
 */
export function biasTokens(
  known: AttentionBias | undefined,
  { rows, text, added, weight }: { rows: number; text: number; added: number; weight: number },
): AttentionBias {
  const picture = known?.picture ?? ([1, 1] as const);
  const before = text + picture[0] * picture[1];
  const size = before + added;
  const [value] = f16ToFloat(floatToF16([Math.log(weight)]));
  const data = new Float32Array(rows * size * size);
  const old = (i: number): number => (i < text ? i : i - added);
  const isNew = (i: number): boolean => i >= text && i < text + added;
  for (let at = 0; at < data.length; at++) {
    const b = Math.floor(at / (size * size));
    const query = Math.floor(at / size) % size;
    const key = at % size;
    if (isNew(query)) continue;
    if (isNew(key)) data[at] = value;
    else if (known) data[at] = known.bias.data[(b * before + old(query)) * before + old(key)];
  }
  return { bias: nd(data, [rows, size, size]), picture };
}
