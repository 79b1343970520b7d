/** Where things are in the frames of a film, one mask for each thing and frame, and pictures of that. */
import type { NDArray } from '../array/nd.ts';
import { nd } from '../array/nd.ts';
import { nearestCells } from '../array/resample-taps.ts';

/** What follows things through a film (SAM3_TRACK_DATA). */
export interface TrackMasks {
  readonly frames: number;
  readonly objects: number;
  /** Of a mask; the width is a multiple of 8. */
  readonly height: number;
  readonly width: number;
  /** [frames, objects, height, width / 8], eight pixels a byte, the first in its lowest bit. */
  readonly bits: Uint8Array;
  /** Of the film that was looked at. */
  readonly filmHeight: number;
  readonly filmWidth: number;
}

/** Which comes first among things that appear in the same frame: the leftmost, or the largest. */
export type TrackOrder = 'none' | 'left_to_right' | 'area';

/** SCAIL-2 knows these colours only (0 or 1 for red, green, blue), in this order. */
const PALETTE = [
  [0, 0, 1],
  [1, 0, 0],
  [0, 1, 0],
  [1, 0, 1],
  [0, 1, 1],
  [1, 1, 0],
] as const;

/** Whether something is at a pixel of a mask that begins at byte `start`. */
const isSet = ({ bits, width }: TrackMasks, start: number, y: number, x: number): boolean =>
  ((bits[start + (y * width) / 8 + (x >> 3)] >> (x & 7)) & 1) === 1;

const bytesOf = ({ height, width }: TrackMasks): number => (height * width) / 8;
const startOf = (t: TrackMasks, frame: number, object: number): number =>
  (frame * t.objects + object) * bytesOf(t);

/** The things' numbers in the order of their first appearance; `order` settles what appears together. */
export function trackOrder(tracks: TrackMasks, order: TrackOrder): number[] {
  const all = Array.from({ length: tracks.objects }, (_, object) => object);
  if (order === 'none') return all;
  const seen = all.map((object) => firstAppearance(tracks, object));
  const rank = (object: number): number =>
    order === 'area' ? -seen[object].area : seen[object].centre;
  return all.sort((a, b) => seen[a].frame - seen[b].frame || rank(a) - rank(b));
}

/** The first frame that shows a thing (behind the last where none does), its pixels there and their mean column. */
function firstAppearance(tracks: TrackMasks, object: number) {
  for (let frame = 0; frame < tracks.frames; frame++) {
    const start = startOf(tracks, frame, object);
    let [area, columns] = [0, 0];
    for (let y = 0; y < tracks.height; y++) {
      for (let x = 0; x < tracks.width; x++) {
        if (!isSet(tracks, start, y, x)) continue;
        area++;
        columns += x;
      }
    }
    if (area > 0) return { frame, area, centre: columns / area };
  }
  return { frame: tracks.frames, area: 0, centre: 0 };
}

/**
 * Pictures [frames, filmHeight, filmWidth, 3] with the things `objects` in the palette's colours on a
 * plain ground of 0 or 1; where two lie on each other, the first is seen.
 */
export function drawTracks(
  tracks: TrackMasks,
  objects: readonly number[],
  ground: number,
): NDArray {
  const { frames, filmHeight: h, filmWidth: w } = tracks;
  const out = new Float32Array(frames * h * w * 3).fill(ground);
  const [rows, columns] = [nearestCells(tracks.height, h), nearestCells(tracks.width, w)];
  for (let frame = 0, to = 0; frame < frames; frame++) {
    const starts = objects.map((object) => startOf(tracks, frame, object));
    for (const y of rows) {
      for (const x of columns) {
        const first = starts.findIndex((start) => isSet(tracks, start, y, x));
        if (first >= 0) out.set(PALETTE[first % PALETTE.length], to);
        to += 3;
      }
    }
  }
  return nd(out, [frames, h, w, 3]);
}

/** A mask [n, h, w] in the palette's first colour on a plain ground: [n, h, w, 3]. */
export function drawMask({ data, shape }: NDArray, ground: number): NDArray {
  const out = new Float32Array(data.length * 3).fill(ground);
  data.forEach((v, i) => {
    if (v > 0.5) out.set(PALETTE[0], 3 * i);
  });
  return nd(out, [...shape, 3]);
}
