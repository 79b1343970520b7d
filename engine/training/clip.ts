/** Gradients that are too long are shortened. */

/** The 2-norm of all numbers together. */
export function norm(gradient: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += gradient[i] * gradient[i];
  return Math.sqrt(sum);
}

/** Shortens a gradient (of one parameter group) in place to `max`, as torch does; its norm before. */
export function clipGradient(gradient: Float32Array, max: number): number {
  const total = norm(gradient);
  const factor = max / (total + 1e-6);
  if (factor < 1) for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
  return total;
}
