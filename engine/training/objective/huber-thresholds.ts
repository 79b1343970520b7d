/** Thresholds of sd-scripts' Huber losses (`huber_schedule`), larger where there is more signal. */
export interface HuberSettings {
  readonly huberC: number;
  readonly huberScale: number;
}

/** A sample's place in the schedule. */
export interface HuberStep {
  readonly timestep: number;
  readonly alphaBar: number;
  /** Timesteps of the whole schedule. */
  readonly timesteps: number;
}

export const huberThresholds = {
  constant: ({ huberC, huberScale }) => huberC * huberScale,
  exponential: ({ huberC, huberScale }, { timestep, timesteps }) =>
    huberC ** (timestep / timesteps) * huberScale,
  snr({ huberC }, { alphaBar }) {
    const sigma = Math.sqrt((1 - alphaBar) / alphaBar);
    return (1 - huberC) / (1 + sigma) ** 2 + huberC;
  },
} as const satisfies Readonly<Record<string, (settings: HuberSettings, step: HuberStep) => number>>;
