/** Evenly spaced numbers. */
const f = Math.fround;

/**
 * torch's fp32 `linspace`: `count` values from `start` to `end`, both included (one value: `start`),
 * counted from the nearer end, to the bit (x86 build).
 */
export function linspace(start: number, end: number, count: number): number[] {
  const [a, b] = [f(start), f(end)];
  const step = f(f(b - a) / (count - 1));
  return Array.from({ length: count }, (_, i) => {
    if (count === 1) return a;
    return i < Math.floor(count / 2) ? f(a + step * i) : f(b - step * (count - 1 - i));
  });
}

/** numpy's `linspace` in double precision. */
export function linspace64(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? start : start + ((end - start) * i) / (count - 1),
  );
}
