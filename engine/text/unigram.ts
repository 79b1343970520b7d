/** Unigram language models (Kudo 2018): the most likely cut of a text into pieces of a vocabulary. */

export interface UnigramModel {
  /** Logarithms of how likely a piece is, by its text. */
  readonly scores: ReadonlyMap<string, number>;
  /** What a character that no piece covers counts. */
  readonly unknownScore: number;
  /** How sums of scores are rounded (SentencePiece adds in single precision). */
  readonly round: (x: number) => number;
}

/** How long a piece may be, in UTF-16 units; more than any vocabulary has. */
const LONGEST = 128;

/**
 * The best cut of a text, by Viterbi's algorithm. Neighbouring characters that no piece covers come as one
 * piece, which the vocabulary does not know.
 */
export function unigramPieces(text: string, model: UnigramModel): string[] {
  const { scores, round } = model;
  const longest = Math.min(LONGEST, longestPiece(scores));
  const best = new Float64Array(text.length + 1);
  const from = new Int32Array(text.length + 1).fill(-1);
  const unknown = new Uint8Array(text.length + 1);
  const offer = (start: number, end: number, score: number, isUnknown: boolean): void => {
    const sum = round(best[start] + score);
    if (from[end] >= 0 && sum <= best[end]) return;
    best[end] = sum;
    from[end] = start;
    unknown[end] = isUnknown ? 1 : 0;
  };
  for (let start = 0; start < text.length;) {
    const single = text.codePointAt(start)! > 0xffff ? 2 : 1;
    let known = false;
    for (let length = single; length <= longest && start + length <= text.length; length++) {
      const score = scores.get(text.slice(start, start + length));
      if (score === undefined) continue;
      offer(start, start + length, score, false);
      known ||= length === single;
    }
    if (!known) offer(start, start + single, model.unknownScore, true);
    start += single;
  }
  const pieces: string[] = [];
  let joined = false;
  for (let end = text.length; end > 0; end = from[end]) {
    const piece = text.slice(from[end], end);
    if (unknown[end] && joined) pieces.push(piece + pieces.pop()!);
    else pieces.push(piece);
    joined = unknown[end] === 1;
  }
  return pieces.reverse();
}

const lengths = new WeakMap<ReadonlyMap<string, number>, number>();

function longestPiece(scores: ReadonlyMap<string, number>): number {
  let longest = lengths.get(scores);
  if (longest === undefined) {
    longest = 1;
    for (const piece of scores.keys()) longest = Math.max(longest, piece.length);
    lengths.set(scores, longest);
  }
  return longest;
}
