/**
 * A palette by median cut (Heckbert 1982), choice for choice as Pillow makes it: the box with the
 * most pixels is cut next, across its widest side weighted by luminance.
 */
import { heapPop, heapPush } from '../heap.ts';

/** More colours than this and the lowest bits of every channel are left out, as often as needed. */
const MAX_COLOURS = 65_536;
const SIDE_WEIGHTS = [77, 150, 29] as const;

/** Distinct colours (packed) and how often each occurs. */
interface Histogram {
  readonly colours: Int32Array;
  readonly counts: Float64Array;
  /** Bits left out of every channel. */
  readonly shift: number;
}

interface Box {
  /** Positions in the histogram. */
  readonly members: Int32Array;
  readonly pixels: number;
  halves?: readonly [Box, Box];
}

/** The largest pixel count comes first; which of equals does is part of Pillow's result. */
const larger = (a: Box, b: Box): boolean => a.pixels > b.pixels;

/** At most `size` colours (RGB bytes) for interleaved RGB pixels. */
export function medianCutPalette(rgb: Uint8Array, size: number): Uint8Array {
  const histogram = countColours(rgb);
  const root: Box = {
    members: Int32Array.from(histogram.colours, (_, i) => i),
    pixels: rgb.length / 3,
  };
  const heap = [root];
  for (let boxes = 1; boxes < size; boxes++) {
    let box = heapPop(heap, larger, 'left');
    while (box && extents(histogram, box).every(({ low, high }) => low === high)) {
      box = heapPop(heap, larger, 'left');
    }
    if (!box) break;
    box.halves = split(histogram, box);
    heapPush(heap, box.halves[0], larger);
    heapPush(heap, box.halves[1], larger);
  }
  return averages(rgb, histogram, leaves(root));
}

const channel = (colour: number, axis: number): number => (colour >> (16 - 8 * axis)) & 255;

function countColours(rgb: Uint8Array): Histogram {
  for (let shift = 0; ; shift++) {
    const counts = new Map<number, number>();
    for (let i = 0; i < rgb.length && counts.size <= MAX_COLOURS; i += 3) {
      const key = pack(rgb, i, shift);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    if (counts.size > MAX_COLOURS) continue;
    return {
      colours: Int32Array.from(counts.keys()),
      counts: Float64Array.from(counts.values()),
      shift,
    };
  }
}

function pack(rgb: Uint8Array, at: number, shift: number): number {
  return ((rgb[at] >> shift) << 16) | ((rgb[at + 1] >> shift) << 8) | (rgb[at + 2] >> shift);
}

function extents({ colours }: Histogram, { members }: Box): { low: number; high: number }[] {
  const low = [255, 255, 255];
  const high = [0, 0, 0];
  for (const i of members) {
    for (let axis = 0; axis < 3; axis++) {
      const v = channel(colours[i], axis);
      if (v < low[axis]) low[axis] = v;
      if (v > high[axis]) high[axis] = v;
    }
  }
  return low.map((value, axis) => ({ low: value, high: high[axis] }));
}

/** The brighter half (more than half of the pixels, whole values) and the rest. */
function split(histogram: Histogram, box: Box): [Box, Box] {
  const { colours, counts } = histogram;
  const sides = extents(histogram, box).map(
    ({ low, high }, axis) => (high - low) * SIDE_WEIGHTS[axis],
  );
  const axis = sides.indexOf(Math.max(...sides));
  const perValue = new Float64Array(256);
  for (const i of box.members) perValue[channel(colours[i], axis)] += counts[i];
  let threshold = 255;
  let bright = perValue[255];
  while (bright * 2 <= box.pixels && threshold > 0) bright += perValue[--threshold];
  const lowest = perValue.findIndex((count) => count > 0);
  // Everything on one side: the lowest value goes to the other.
  if (threshold <= lowest) {
    bright -= perValue[lowest];
    threshold = lowest + 1;
  }
  const isBright = (i: number): boolean => channel(colours[i], axis) >= threshold;
  return [
    { members: box.members.filter(isBright), pixels: bright },
    { members: box.members.filter((i) => !isBright(i)), pixels: box.pixels - bright },
  ];
}

function leaves(box: Box): Box[] {
  if (box.halves) return box.halves.flatMap(leaves);
  return box.members.length > 0 ? [box] : [];
}

function averages(rgb: Uint8Array, { colours, shift }: Histogram, boxes: Box[]): Uint8Array {
  const boxOf = new Map<number, number>();
  boxes.forEach(({ members }, b) => members.forEach((i) => boxOf.set(colours[i], b)));
  const sums = new Float64Array(boxes.length * 4);
  for (let i = 0; i < rgb.length; i += 3) {
    const at = boxOf.get(pack(rgb, i, shift))! * 4;
    for (let c = 0; c < 3; c++) sums[at + c] += rgb[i + c];
    sums[at + 3]++;
  }
  return Uint8Array.from({ length: boxes.length * 3 }, (_, k) => {
    const at = Math.floor(k / 3) * 4;
    return Math.trunc(0.5 + sums[at + (k % 3)] / sums[at + 3]);
  });
}
