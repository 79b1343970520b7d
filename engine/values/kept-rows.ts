/**
 * Rows of tokens that a text encoder encoded last: the empty prompt that emphasis is measured from, parts of a
 * long prompt that stayed as they were while others were changed. They go with the encoder's value.
 */
import { LRUCache } from 'lru-cache';
import type { Runtime } from '../runtime/runtime.ts';
import type { Token } from '../text/token-batches.ts';

/** What came of one row; nobody writes into it. */
export interface EncodedRow {
  /** Hidden states of all tokens, one after the other, and their shape: [1, tokens, width] (EncodedText). */
  readonly hidden: Float32Array;
  readonly shape: readonly number[];
  readonly pooled?: Float32Array;
  /** Whether each token is text. */
  readonly attended?: readonly boolean[];
}

const mostRows = 16;
/** An encoder's; a row of the largest CLIP is 0.4 MB, one of T5-XXL 8 MB. */
const mostBytes = 64 << 20;

const kept = new WeakMap<object, WeakMap<Runtime, LRUCache<string, EncodedRow>>>();

/**
 * What comes of a row of tokens: what is known of it, else what `encode` gives. Rows with vectors are not kept.
 * An encoder is told by its object: whatever changes what it computes makes another.
 */
export async function keptRow(
  encoder: object,
  runtime: Runtime,
  row: readonly Token[],
  encode: () => Promise<EncodedRow>,
): Promise<EncodedRow> {
  const ids = row.filter((token) => typeof token === 'number');
  if (ids.length < row.length) return encode();
  const known = keptOf(encoder, runtime);
  const key = ids.join();
  const encoded = known.get(key) ?? (await encode());
  known.set(key, encoded);
  return encoded;
}

function keptOf(encoder: object, runtime: Runtime): LRUCache<string, EncodedRow> {
  const byRuntime = kept.get(encoder) ?? new WeakMap<Runtime, LRUCache<string, EncodedRow>>();
  const rows = byRuntime.get(runtime) ?? newRows();
  kept.set(encoder, byRuntime.set(runtime, rows));
  return rows;
}

const newRows = (): LRUCache<string, EncodedRow> =>
  new LRUCache({
    max: mostRows,
    maxSize: mostBytes,
    sizeCalculation: ({ hidden }) => hidden.byteLength + 1,
  });
