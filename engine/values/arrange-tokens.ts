/** A row of tokens as a text encoder takes it: ids, vectors in their place, and what is padding. */
import type { Token } from '../text/token-batches.ts';
import type { SessionInput } from '../runtime/runtime.ts';

/** Very negative but finite, so that a row of nothing but padding gives no NaN. */
export const maskedScore = -3.4028234663852886e38;

export interface Arranged {
  readonly places: readonly Token[];
  /** Whether a token is text: everything up to the first end token, and every vector. */
  readonly attended: readonly boolean[];
}

/**
 * Vectors of another width are dropped and made up for by padding behind the row. Without an end token text
 * ends in front of the first padding that is not at the row's start.
 */
export function arrangeTokens(
  row: readonly Token[],
  width: number,
  { end, pad }: { readonly end?: number; readonly pad: number },
): Arranged {
  const fits = (token: Token) => typeof token === 'number' || token.vector.length === width;
  const places = row.filter(fits);
  let ended = false;
  let begun = end !== undefined;
  const attended = places.map((token) => {
    if (typeof token !== 'number') return true;
    if (!begun && token === pad) return false;
    begun = true;
    const seen = !ended && (end !== undefined || token !== pad);
    ended ||= token === (end ?? pad);
    return seen;
  });
  while (places.length < row.length) {
    places.push(pad);
    attended.push(false);
  }
  return { places, attended };
}

/** The inputs `tokens` [1, t] and, where there are vectors, `keep` [1, t, 1] and `rows` [1, t, width]. */
export function tokenFeeds(
  places: readonly Token[],
  width: number,
  pad: number,
): Record<string, SessionInput> {
  const { length } = places;
  const ids = BigInt64Array.from(places, (token) =>
    BigInt(typeof token === 'number' ? token : pad),
  );
  const tokens = { ids, shape: [1, length] };
  if (!hasVectors(places)) return { tokens };
  const keep = new Float32Array(length).fill(1);
  const rows = new Float32Array(length * width);
  places.forEach((token, i) => {
    if (typeof token === 'number') return;
    keep[i] = 0;
    rows.set(token.vector, i * width);
  });
  return {
    tokens,
    keep: { data: keep, shape: [1, length, 1] },
    rows: { data: rows, shape: [1, length, width] },
  };
}

/** Whether a row holds vectors, and so is run by a network that takes them. */
export const hasVectors = (places: readonly Token[]): boolean =>
  places.some((token) => typeof token !== 'number');

/** 0 for text, very negative for padding: what is added to scores. */
export const paddingScores = (attended: readonly boolean[]): Float32Array =>
  Float32Array.from(attended, (seen) => (seen ? 0 : maskedScore));
