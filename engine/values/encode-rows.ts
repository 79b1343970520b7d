/** Rows of tokens through a text encoder one by one, with emphasis: what all kinds of them share. */
import { sizeOf } from '../array/nd.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Token, TokenBatch } from '../text/token-batches.ts';
import { type EncodedRow, keptRow } from './kept-rows.ts';

/** What of an encoder a row depends on, and how one is run. */
export interface RowEncoder {
  /** Told by its object: whatever changes what comes out makes another. */
  readonly encoder: object;
  /** The tokens of an empty prompt of this length, from which emphasis is measured. */
  readonly empty: (length: number) => readonly Token[];
  readonly encode: (row: readonly Token[], batch?: TokenBatch) => Promise<EncodedRow>;
}

/** Hidden states of all batches, one after the other, and what came of each row. */
export interface EncodedRows {
  readonly hidden: Float32Array;
  readonly rows: readonly EncodedRow[];
}

/**
 * Encodes each batch that is not known; without any, the empty prompt. Where a weight differs from 1, the
 * distance of the token's hidden state from that of an empty prompt is multiplied by it (ComfyUI's emphasis).
 */
export async function encodeRows(
  { encoder, empty, encode }: RowEncoder,
  batches: readonly TokenBatch[],
  runtime: Runtime,
): Promise<EncodedRows> {
  const weighted = batches.some(({ weights }) => weights.some((weight) => weight !== 1));
  const encodeRow = (row: readonly Token[], batch?: TokenBatch): Promise<EncodedRow> => {
    const run = () => encode(row, batch);
    // of a row with pictures the ids do not tell all
    return batch?.pictures ? run() : keptRow(encoder, runtime, row, run);
  };
  const rows: EncodedRow[] = [];
  // Each alone: in a batch sums are made in another order, and a seed's picture would depend on what was known.
  for (const batch of batches) rows.push(await encodeRow(batch.ids, batch));
  if (batches.length === 0) {
    const row = await encodeRow(empty(0));
    return { hidden: row.hidden.slice(), rows: [row] };
  }
  const length = rows.reduce((sum, { hidden }) => sum + hidden.length, 0);
  const hidden = new Float32Array(length);
  const longest = Math.max(...batches.map(({ ids }) => ids.length));
  const origin = weighted ? await encodeRow(empty(longest)) : undefined;
  let start = 0;
  batches.forEach(({ weights }, b) => {
    const row = rows[b];
    hidden.set(row.hidden, start);
    if (origin) emphasise(hidden, start, { weights, row, origin });
    start += row.hidden.length;
  });
  return { hidden, rows };
}

/**
 * z = (z - empty)·weight + empty in place, in fp32 steps, for the tokens of one batch. Of an encoder that gives
 * all its states ComfyUI weighs these, the first as the first token, and so does this.
 */
function emphasise(
  data: Float32Array,
  start: number,
  {
    weights,
    row,
    origin,
  }: {
    readonly weights: readonly number[];
    readonly row: EncodedRow;
    readonly origin: EncodedRow;
  },
): void {
  const parts = row.shape[1];
  const size = sizeOf(row.shape) / parts;
  weights.slice(0, parts).forEach((exact, part) => {
    if (exact === 1) return;
    const weight = Math.fround(exact);
    for (let i = part * size; i < (part + 1) * size; i++) {
      const distance = Math.fround(data[start + i] - origin.hidden[i]);
      data[start + i] = Math.fround(distance * weight) + origin.hidden[i];
    }
  });
}
