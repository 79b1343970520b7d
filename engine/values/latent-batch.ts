/** Batches of latents cut, repeated and regrouped, with their masks and batch indices. */
import { concat, repeatToBatch, rows } from '../array/batch.ts';
import { type NDArray, full } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { type Latent, pixelsPerCell } from './media.ts';

/** `length` items from `start` on, both limited to what is there; the items keep their indices. */
export function latentFromBatch(latent: Latent, start: number, length: number): Latent {
  const count = latent.samples.shape[0];
  const first = Math.min(count - 1, start);
  const last = first + Math.min(count - first, length);
  const mask = latent.noise_mask;
  const cut = mask && mask.shape[0] > 1 ? rows(repeatToBatch(mask, count), first, last) : mask;
  return {
    ...latent,
    samples: rows(latent.samples, first, last),
    noise_mask: cut,
    batch_index: latent.batch_index?.slice(first, last) ?? range(first, last),
  };
}

/** The batch `amount` times; repeated items get new indices beyond the old ones. */
export function repeatLatent(latent: Latent, amount: number): Latent {
  const { samples, noise_mask: mask, batch_index: index } = latent;
  const times = (x: NDArray): NDArray => repeatToBatch(x, x.shape[0] * amount);
  const step = index ? Math.max(...index) - Math.min(...index) + 1 : 0;
  return {
    ...latent,
    samples: times(samples),
    ...(mask && mask.shape[0] > 1 ? { noise_mask: times(mask) } : {}),
    ...(index
      ? { batch_index: range(0, amount).flatMap((i) => index.map((v) => v + i * step)) }
      : {}),
  };
}

/** Both batches after each other (`second` already of the first one's size), indices joined. */
export function joinLatents(first: Latent, second: Latent, samples: NDArray): Latent {
  const indexOf = (latent: Latent): readonly number[] =>
    latent.batch_index ?? range(0, latent.samples.shape[0]);
  return {
    ...first,
    samples: concat([first.samples, samples]),
    batch_index: [...indexOf(first), ...indexOf(second)],
  };
}

interface Group {
  readonly samples: NDArray;
  readonly mask: NDArray;
  readonly index: readonly number[];
}

/**
 * A list of latents as a list of batches of `size`: neighbours of the same size are joined, then
 * cut. Items without a mask get one of ones, and batches whose mask is all ones lose it.
 */
export function rebatchLatents(latents: readonly Latent[], size: number): Latent[] {
  const groups: Group[] = [];
  let current: Group | undefined;
  let seen = 0;
  for (const latent of latents) {
    const next = toGroup(latent, seen);
    seen += next.index.length;
    if (!current) current = next;
    else if (!sameSize(current, next)) {
      groups.push(part(current, 0, size));
      current = next;
    } else current = joinGroups(current, next);
    if (current.samples.shape[0] > size) {
      const whole = Math.floor(current.samples.shape[0] / size);
      for (let i = 0; i < whole; i++) groups.push(part(current, i * size, (i + 1) * size));
      const rest: Group = part(current, whole * size, current.samples.shape[0]);
      current = rest.samples.shape[0] > 0 ? rest : undefined;
    }
  }
  if (current) groups.push(part(current, 0, size));
  return groups.map(({ samples, mask, index }) => ({
    samples,
    ...(mask.data.every((v) => v === 1) ? {} : { noise_mask: mask }),
    batch_index: index,
  }));
}

function toGroup({ samples, noise_mask, batch_index }: Latent, seen: number): Group {
  const [count] = samples.shape;
  const [h, w] = samples.shape.slice(-2);
  const mask = noise_mask ?? full([count, 1, h * pixelsPerCell, w * pixelsPerCell], 1);
  return {
    samples,
    mask: mask.shape[0] < count ? repeatToBatch(mask, count) : mask,
    index: batch_index ?? range(seen, seen + count),
  };
}

function sameSize(a: Group, b: Group): boolean {
  return a.samples.shape.slice(-2).join() === b.samples.shape.slice(-2).join();
}

function joinGroups(a: Group, b: Group): Group {
  return {
    samples: concat([a.samples, b.samples]),
    mask: concat([a.mask, b.mask]),
    index: [...a.index, ...b.index],
  };
}

function part({ samples, mask, index }: Group, start: number, end: number): Group {
  const last = Math.min(end, samples.shape[0]);
  return {
    samples: rows(samples, start, last),
    mask: rows(mask, start, Math.min(last, mask.shape[0])),
    index: index.slice(start, last),
  };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/**
 * Latents and one list of items (conditioning entries) for each, row by row, as one batch and one list for
 * each size, in the order in which the sizes come. Throws BAD_INPUT where a row has no item.
 */
export function bucketsByResolution<T>(
  latents: readonly Latent[],
  items: readonly (readonly T[])[],
): { readonly latent: Latent; readonly items: readonly T[] }[] {
  const buckets = new Map<string, { rows: NDArray[]; items: T[] }>();
  latents.forEach(({ samples }, n) => {
    if (items[n].length < samples.shape[0]) {
      throw new NoodleError('BAD_INPUT', {
        subject: 'conditioning',
        expected: `${samples.shape[0]} entries, one for each latent of the batch`,
        got: items[n].length,
      });
    }
    for (let i = 0; i < samples.shape[0]; i++) {
      const key = samples.shape.slice(-2).join('x');
      const bucket = buckets.get(key) ?? { rows: [], items: [] };
      buckets.set(key, bucket);
      bucket.rows.push(rows(samples, i, i + 1));
      bucket.items.push(items[n][i]);
    }
  });
  return [...buckets.values()].map((bucket) => ({
    latent: { samples: concat(bucket.rows) },
    items: bucket.items,
  }));
}
