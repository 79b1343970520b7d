/**
 * Conditioning made ready for one run: areas and masks on the latent's grid, percentages as sigmas,
 * tensors encoded for the model, and lists that match each other area by area.
 */
import type { NDArray } from '../array/nd.ts';
import { interpolate } from '../array/resize.ts';
import type { Conditioning, ConditioningEntry } from './conditioning.ts';
import type { ConditioningRun, DiffusionModel } from './model.ts';
import type { ModelSampling } from './model-sampling.ts';
import type { PreparedEntry, PreparedLists } from './prepared.ts';
import { areaBox, type Box, boxInside, boxVolume, sameBox } from './region.ts';

/** Prepares every list (`positive`, `negative` …) of a guider. */
export async function prepareConditioning(
  model: DiffusionModel,
  lists: Readonly<Record<string, Conditioning>>,
  run: ConditioningRun,
): Promise<PreparedLists> {
  const dims = run.latentShape.slice(2);
  const prepared: Record<string, PreparedEntry[]> = {};
  for (const [name, list] of Object.entries(lists)) {
    prepared[name] = [];
    for (const entry of list) {
      prepared[name].push({
        entry,
        encoded: await model.encodeConditioning(entry, run),
        ...place(entry, dims),
        ...sigmaRange(entry, model.modelSampling),
      });
    }
  }
  const names = Object.keys(prepared);
  for (const name of names) {
    for (const other of names.filter((candidate) => candidate !== name)) {
      for (const entry of prepared[name]) addSameArea(prepared[other], entry);
    }
  }
  for (const name of names.filter((other) => other !== 'positive')) {
    spreadChanges(prepared['positive'] ?? [], prepared[name]);
  }
  return prepared;
}

/**
 * What spreads goes from the entries of `from` for the whole picture to those of `list`, one after the
 * other and from the first again; unless one of those has a change of its own of that kind.
 */
function spreadChanges(from: readonly PreparedEntry[], list: PreparedEntry[]): void {
  const whole = (entries: readonly PreparedEntry[]): PreparedEntry[] =>
    entries.filter(({ entry }) => entry.area === undefined);
  const given = whole(from).flatMap(({ entry }) => Object.entries(entry.changes ?? {}));
  const places = whole(list).map((entry) => list.indexOf(entry));
  const taken = new Set(places.flatMap((at) => Object.keys(list[at].entry.changes ?? {})));
  const counts = new Map<string, number>();
  for (const [kind, change] of given) {
    if (!change.spreads || taken.has(kind) || places.length === 0) continue;
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const at = places[count % places.length];
    const { entry } = list[at];
    list[at] = { ...list[at], entry: { ...entry, changes: { ...entry.changes, [kind]: change } } };
  }
}

/** The box and the mask of an entry on a grid of `dims`. */
function place(
  { area, mask, setAreaToBounds }: ConditioningEntry,
  dims: readonly number[],
): Pick<PreparedEntry, 'box' | 'mask'> {
  const box = area && areaBox(area, dims);
  if (!mask) return { box };
  const fitted = fitMask(mask, dims);
  const bounds = setAreaToBounds && dims.length === 2 ? maskBounds(fitted) : box;
  return { mask: fitted, box: bounds };
}

/**
 * A mask [rows, h, w] or [h, w] scaled bilinearly to the last two of `dims`, as [rows, ...dims]; for
 * a video the mask's rows are its frames (one row serves all).
 */
function fitMask(mask: NDArray, dims: readonly number[]): NDArray {
  const [height, width] = dims.slice(-2);
  const rows = mask.shape.length === 2 ? 1 : mask.shape[0];
  const [h, w] = mask.shape.slice(-2);
  const plane = { data: mask.data, shape: [rows, 1, h, w] };
  const { data } =
    h === height && w === width ? mask : interpolate(plane, height, width, 'bilinear');
  if (dims.length < 3) return { data, shape: [rows, ...dims] };
  const [frames] = dims;
  const size = height * width;
  const repeated = new Float32Array(frames * size);
  for (let t = 0; t < frames; t++) {
    const from = Math.min(t, rows - 1) * size;
    repeated.set(data.subarray(from, from + size), t * size);
  }
  return { data: repeated, shape: [1, ...dims] };
}

/** The smallest box around all non-zero cells of any row, at least 8 x 8. */
function maskBounds({ data, shape: [rows, height, width] }: NDArray): Box {
  let [top, left, bottom, right] = [height, width, -1, -1];
  for (let i = 0; i < rows * height * width; i++) {
    if (data[i] === 0) continue;
    const y = Math.floor(i / width) % height;
    const x = i % width;
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  if (bottom < 0) return { sizes: [8, 8], offsets: [0, 0] };
  const sizes = [Math.max(8, bottom - top + 1), Math.max(8, right - left + 1)];
  return { sizes, offsets: [top, left] };
}

function sigmaRange(
  { startPercent, endPercent, textRange }: ConditioningEntry,
  sampling: ModelSampling,
): Pick<PreparedEntry, 'startSigma' | 'endSigma'> {
  const start = textRange ? Math.max(textRange.start, startPercent ?? 0) : startPercent;
  const end = textRange ? Math.min(textRange.end, endPercent ?? 1) : endPercent;
  // fp32, because sigmas are: a limit that equals a level must include it
  const limit = (percent: number): number => Math.fround(sampling.percentToSigma(percent));
  return {
    startSigma: start === undefined ? Infinity : limit(start),
    endSigma: end === undefined ? -Infinity : limit(end),
  };
}

/**
 * Makes sure that `list` has an entry with the area of `like`, so that both sides are predicted on
 * the same cells: a copy of the smallest entry that encloses it, at the strength and in the range of
 * `like`.
 */
function addSameArea(list: PreparedEntry[], like: PreparedEntry): void {
  const { box } = like;
  if (!box) return;
  let smallest: PreparedEntry | undefined;
  for (const candidate of list) {
    if (!candidate.box) {
      smallest ??= candidate;
    } else if (boxInside(box, candidate.box)) {
      const smaller = !smallest?.box || boxVolume(smallest.box) > boxVolume(candidate.box);
      if (smaller) smallest = candidate;
    }
  }
  if (!smallest || (smallest.box && sameBox(smallest.box, box))) return;
  list.push({ ...like, encoded: smallest.encoded });
}
