/** Batch after batch: all of one or several data sets in a new order each epoch, and where that stands. */
import { createHash } from 'node:crypto';
import type { PythonRandom } from '../../sampling/noise/python-random.ts';
import { captionFor } from './captions.ts';
import type { Dataset } from './dataset.ts';
import type { Placed } from './item.ts';
import { movesAbout, place } from './placement.ts';
import type { DatasetSettings } from './settings.ts';

/** An item with the caption that it has this time. */
export interface Sample extends Placed {
  readonly caption: string;
}

/** Samples of one size and one set. */
export interface Batch<S extends DatasetSettings = DatasetSettings> {
  readonly set: Dataset<S>;
  readonly samples: readonly Sample[];
}

/**
 * Where an order stands: plain JSON. Together with the state of its generator it says all that comes.
 */
export interface DataPosition {
  /** Tells whether the sets are still the same. */
  readonly digest: string;
  /** Epochs behind it. */
  readonly epoch: number;
  /** Batches of this epoch in their order, and how many of them have been given. */
  readonly order: readonly number[];
  readonly next: number;
}

export interface BatchOrder<S extends DatasetSettings = DatasetSettings> {
  /** Batches of an epoch. */
  readonly length: number;
  next(): Batch<S>;
  position(): DataPosition;
  /**
   * Goes on from a position, and says whether that was possible: the sets may have changed since, then an
   * epoch begins anew. The generator is its owner's to restore.
   */
  restore(position: DataPosition): boolean;
}

/**
 * The batches of data sets, shuffled among each other. Draws from `random` when an epoch begins, and for
 * every batch what its captions and crops need; never ahead.
 */
export function createBatches<S extends DatasetSettings>(
  sets: readonly Dataset<S>[],
  random: PythonRandom,
): BatchOrder<S> {
  const all = sets.flatMap((set) => set.batches.map((items) => ({ set, items })));
  const digest = digestOf(sets);
  const start: DataPosition = { digest, epoch: 0, order: [], next: 0 };
  let at = start;
  return {
    length: all.length,
    next() {
      const order = at.order.length > 0 ? at.order : random.shuffled(all.map((_, i) => i));
      const { set, items } = all[order[at.next]];
      const next = at.next + 1;
      at =
        next < order.length
          ? { ...at, order, next }
          : { ...at, epoch: at.epoch + 1, order: [], next: 0 };
      return { set, samples: items.map((item) => sampleOf(set, item, random)) };
    },
    position: () => at,
    restore(position) {
      const isSame = position.digest === digest && isPlace(position, all.length);
      at = isSame ? position : { ...start, epoch: position.epoch };
      return isSame;
    },
  };
}

function sampleOf({ items, settings, unit }: Dataset, index: number, random: PythonRandom): Sample {
  const item = items[index];
  // Latents that are kept are of one crop.
  const isKept = settings.cacheLatents || settings.cacheLatentsToDisk;
  const placement =
    movesAbout(settings) && !isKept ? place(item.size, settings, unit, random) : item.placement;
  return { item, placement, caption: captionFor(item.text, settings, random) };
}

/** Whether a position of an order of so many batches is a possible one. */
function isPlace({ order, next }: DataPosition, length: number): boolean {
  if (order.length === 0) return next === 0;
  const isPermutation = order.length === length && new Set(order).size === length;
  return (
    isPermutation &&
    order.every((i) => Number.isInteger(i) && i >= 0 && i < length) &&
    next >= 0 &&
    next < length
  );
}

/** Of the names and places of all items, and of how they lie in batches. */
function digestOf(sets: readonly Dataset[]): string {
  const told = sets.map(({ items, batches }) => ({
    items: items.map(({ name, placement, flipX, flipY }) => [name, placement, flipX, flipY]),
    batches,
  }));
  return createHash('sha256').update(JSON.stringify(told)).digest('hex');
}
