/** Factors of a sample's loss by how noisy it is. */

/** Beyond this a step counts as free of noise (sd-scripts). */
const cleanSnr = 1000;

/** Weights by signal to noise; `strength` is gamma, or the share of the loss that is added. */
export const snrWeights = {
  /** Hang et al. 2023: steps with little noise count less. */
  min_snr_gamma: (snr, gamma) => Math.min(gamma / snr, 1),
  /** The same without a cap. */
  snr_gamma: (snr, gamma) => gamma / snr,
  /** Min-SNR of networks that predict v. */
  min_snr_gamma_v: (snr, gamma) => Math.min(snr, gamma) / (snr + 1),
  /** Yu et al. 2024. */
  debiased_estimation: (snr) => 1 / Math.sqrt(Math.min(snr, cleanSnr)),
  debiased_estimation_v: (snr) => 1 / (Math.min(snr, cleanSnr) + 1),
  /** The loss of a v prediction at the scale of that of the noise. */
  scale_v_pred_loss_like_noise_pred: likeNoise,
  /** The loss of a noise prediction, and a share of what it would be of v. */
  v_pred_like_loss: (snr, share) => 1 + share / likeNoise(snr),
} as const satisfies Readonly<Record<string, (snr: number, strength: number) => number>>;

function likeNoise(snr: number): number {
  const limited = Math.min(snr, cleanSnr);
  return limited / (limited + 1);
}

/** Weights by the time t of a flow, 0..1 (Esser et al. 2024, section 3.1). */
export const flowWeights = {
  none: () => 1,
  sigma_sqrt: (t) => t ** -2,
  cosmap: (t) => 2 / (Math.PI * (1 - 2 * t + 2 * t ** 2)),
} as const satisfies Readonly<Record<string, (t: number) => number>>;

/** A bell over the places of a table of `count` times: 0 at its start, mean 1 (`linear_timesteps`). */
export function bellWeights(count = 1000): Float32Array {
  const bell = Float64Array.from({ length: count }, (_, i) =>
    Math.exp(-2 * ((i - count / 2) / count) ** 2),
  );
  const lowest = Math.min(...bell);
  const sum = bell.reduce((total, value) => total + value - lowest, 0);
  return Float32Array.from(bell, (value) => ((value - lowest) * count) / sum);
}

/** The bell, whose second half stays at the top (`linear_timesteps2`). */
export function halfBellWeights(count = 1000): Float32Array {
  const bell = bellWeights(count);
  const middle = Math.floor(count / 2);
  return bell.fill(Math.max(...bell.subarray(middle)), middle);
}

/** What ai-toolkit measured of one flow model, every 50th place of 1000 and the last one. */
const measured = [
  0.906, 1.375, 1.507, 1.507, 1.441, 1.355, 1.264, 1.172, 1.083, 1.0, 0.925, 0.86, 0.805, 0.762,
  0.731, 0.715, 0.716, 0.729, 0.716, 0.582, 0.447,
];

/** The weight at a place of 1000 of `timestep_type: weighted`, between the measured ones in a line. */
export function measuredWeight(place: number): number {
  const last = measured.length - 2;
  const left = Math.min(Math.floor(place / 50), last);
  const end = left === last ? 999 : (left + 1) * 50;
  const share = (place - left * 50) / (end - left * 50);
  return measured[left] + (measured[left + 1] - measured[left]) * share;
}
