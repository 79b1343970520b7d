/** Biases of attention between tokens of a prompt and the picture, as conditioning carries them. */
import { type NDArray, nd } from '../array/nd.ts';
import { f16ToFloat, floatToF16 } from '../weights/float.ts';

/**
 * Rests in an entry's extras as `attention_bias`; engine/patch/attention-bias.ts adds it to a network's scores.
 * [b, n + 1, n + 1] for n tokens of text and, last, all of the picture: for query (row) and key (column).
 */
export type AttentionBias = NDArray;

/**
 * The bias with `added` tokens put behind `text` ones, to which text and picture pay `weight` times the
 * attention (ln weight, a number of 16 bits as the reference keeps it).
 */
export function biasTokens(
  known: AttentionBias | undefined,
  { rows, text, added, weight }: { rows: number; text: number; added: number; weight: number },
): AttentionBias {
  const before = text + 1;
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
    else if (known) data[at] = known.data[(b * before + old(query)) * before + old(key)];
  }
  return nd(data, [rows, size, size]);
}
