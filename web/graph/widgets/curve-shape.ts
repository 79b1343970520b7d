/** A point of a curve; both coordinates 0..1. */
export type CurvePoint = readonly [x: number, y: number];

/** How CURVE values are stored (ComfyUI's CurveEditor). */
export interface CurveValue {
  readonly points: readonly CurvePoint[];
  readonly interpolation: 'monotone_cubic' | 'linear';
}

/** Reads a stored curve; a straight one where it is none. */
export function readCurve(value: unknown): CurveValue {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Partial<CurveValue>;
  const list: unknown = Array.isArray(value) ? value : given.points;
  const points = (Array.isArray(list) ? list : []).filter(
    (p): p is CurvePoint => Array.isArray(p) && p.length === 2 && p.every(Number.isFinite),
  );
  return {
    points:
      points.length < 2
        ? [
            [0, 0],
            [1, 1],
          ]
        : points.toSorted((a, b) => a[0] - b[0]),
    interpolation: given.interpolation === 'linear' ? 'linear' : 'monotone_cubic',
  };
}

/**
 * The curve as a function of x: between its points straight, or by cubics that go up and down
 * where the points do and nowhere else (Fritsch and Carlson 1980); level before and after them.
 */
export function curveFunction({ points, interpolation }: CurveValue): (x: number) => number {
  const slopes = interpolation === 'linear' ? null : tangents(points);
  return (x) => {
    const next = points.findIndex(([at]) => at >= x);
    if (next === 0) return points[0][1];
    if (next < 0) return points[points.length - 1][1];
    const [[x0, y0], [x1, y1]] = [points[next - 1], points[next]];
    const h = x1 - x0;
    const t = h === 0 ? 1 : (x - x0) / h;
    if (slopes === null) return y0 + t * (y1 - y0);
    const [m0, m1] = [slopes[next - 1] * h, slopes[next] * h];
    return (
      (2 * t ** 3 - 3 * t ** 2 + 1) * y0 +
      (t ** 3 - 2 * t ** 2 + t) * m0 +
      (3 * t ** 2 - 2 * t ** 3) * y1 +
      (t ** 3 - t ** 2) * m1
    );
  };
}

function tangents(points: readonly CurvePoint[]): number[] {
  const slopes = points.slice(1).map(([x, y], i) => {
    const h = x - points[i][0];
    return h === 0 ? 0 : (y - points[i][1]) / h;
  });
  const m = points.map((_, i) => {
    const [before, after] = [slopes[i - 1] ?? slopes[i], slopes[i] ?? slopes[i - 1]];
    return before * after <= 0 ? 0 : (before + after) / 2;
  });
  slopes.forEach((slope, i) => {
    if (slope === 0) return;
    const [a, b] = [m[i] / slope, m[i + 1] / slope];
    const length = Math.hypot(a, b);
    if (length <= 3) return;
    m[i] = (3 * a * slope) / length;
    m[i + 1] = (3 * b * slope) / length;
  });
  return m;
}
