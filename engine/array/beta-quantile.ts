/** The Beta distribution's quantile, to full double precision. */

/**
 * x with I_x(a, b) = p, the inverse of the regularised incomplete beta function, for p in [0, 1] and
 * a, b > 0. Safeguarded Newton steps; the smaller tail is solved, so no digits are lost near 1.
 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  if (b === 1) return p ** (1 / a);
  if (a === 1) return -Math.expm1(Math.log1p(-p) / b);
  const middle = betaLower(0.5, a, b);
  return p <= middle ? solve(p, a, b) : 1 - solve(1 - p, b, a);
}

/** Newton in log x for I_x(a, b) = p on (0, 1/2], falling back to bisection. */
function solve(p: number, a: number, b: number): number {
  const logBeta = logGamma(a) + logGamma(b) - logGamma(a + b);
  // The leading term of the series: I_x ≈ x^a / (a·B(a, b)).
  let t = Math.min(Math.log(0.5), (Math.log(p * a) + logBeta) / a);
  let low = -Infinity;
  let high = Math.log(0.5);
  for (let i = 0; i < 200; i++) {
    const x = Math.exp(t);
    const error = betaLower(x, a, b) - p;
    if (error === 0) return x;
    if (error > 0) high = Math.min(high, t);
    else low = Math.max(low, t);
    const slope = Math.exp(a * t + (b - 1) * Math.log1p(-x) - logBeta); // dI / d log x
    let next = t - error / slope;
    if (!(next > low && next <= high)) next = low === -Infinity ? t - 1 : (low + high) / 2;
    if (Math.abs(next - t) <= 4e-16 * Math.max(1, Math.abs(t))) return Math.exp(next);
    t = next;
  }
  return Math.exp(t);
}

/** I_x(a, b) by its continued fraction (Lentz's method; DLMF 8.17.22). */
function betaLower(x: number, a: number, b: number): number {
  if (x > (a + 1) / (a + b + 2)) return 1 - betaLower(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) - logGamma(a) - logGamma(b) + logGamma(a + b),
  );
  const tiny = 1e-300;
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || tiny);
  let c = 1;
  let fraction = d;
  for (let m = 1; m < 500; m++) {
    for (const numerator of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / (1 + numerator * d || tiny);
      c = 1 + numerator / c || tiny;
      fraction *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return (front * fraction) / a;
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0 (Lanczos, g = 7, n = 9). */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const y = x - 1;
  const sum = lanczos.slice(1).reduce((total, c, i) => total + c / (y + i + 1), lanczos[0]);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}
