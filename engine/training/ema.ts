/** An average of the trained numbers over the steps, which forgets exponentially. */

/** As job files have them (`ema_config`). */
export interface AverageSettings {
  /** How much of the average is kept in a step. */
  readonly ema_decay: number;
  /** Pulls the trained numbers away from the average, ten times as far as it follows them. */
  readonly use_feedback: boolean;
  /** A factor of the trained numbers in every step. */
  readonly param_multiplier: number;
}

export const averageDefaults: AverageSettings = {
  ema_decay: 0.999,
  use_feedback: false,
  param_multiplier: 1,
};

/** After a step of the optimiser: moves the average, which began as a copy, and maybe the numbers themselves. */
export function updateAverage(
  average: Float32Array,
  trained: Float32Array,
  { ema_decay, use_feedback, param_multiplier }: AverageSettings,
): void {
  const feedback = use_feedback ? 10 : 0;
  for (let i = 0; i < average.length; i++) {
    const behind = (1 - ema_decay) * (average[i] - trained[i]);
    average[i] -= behind;
    trained[i] = (trained[i] + feedback * behind) * param_multiplier;
  }
}
