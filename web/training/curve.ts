/** What is drawn of a series of losses. */

export interface Point {
  readonly step: number;
  readonly value: number;
}

/**
 * The series smoothed as an average that forgets: `weight` (0 to 1) is what it keeps of before. The first values are
 * not pulled towards zero (Adam's correction, as TensorBoard has it).
 */
export function smoothed(points: readonly Point[], weight: number): Point[] {
  let [average, share] = [0, 1];
  return points.map(({ step, value }) => {
    average = average * weight + value * (1 - weight);
    share *= weight;
    return { step, value: weight === 0 ? value : average / (1 - share) };
  });
}

/** At most `2 × columns` of the points: the lowest and the highest of each column that is drawn. */
export function thinned(points: readonly Point[], columns: number): readonly Point[] {
  if (points.length <= 2 * columns) return points;
  const kept: Point[] = [];
  for (let i = 0; i < columns; i++) {
    const from = Math.floor((i * points.length) / columns);
    const to = Math.floor(((i + 1) * points.length) / columns);
    let [low, high] = [from, from];
    for (let j = from; j < to; j++) {
      if (points[j].value < points[low].value) low = j;
      if (points[j].value > points[high].value) high = j;
    }
    kept.push(...[...new Set([Math.min(low, high), Math.max(low, high)])].map((j) => points[j]));
  }
  return kept;
}

/** Round numbers from `low` to `high`, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** The bounds of the values, with most of a few wild ones left out of sight at the top. */
export function bounds(points: readonly Point[]): { readonly low: number; readonly high: number } {
  if (points.length === 0) return { low: 0, high: 1 };
  const sorted = points.map(({ value }) => value).sort((a, b) => a - b);
  const low = sorted[0];
  const high = sorted[Math.floor((sorted.length - 1) * (sorted.length > 100 ? 0.995 : 1))];
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  return { low: low >= 0 ? Math.max(0, low - room) : low - room, high: high + room };
}
