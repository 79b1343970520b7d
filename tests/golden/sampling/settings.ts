/** ComfyUI's model types and sampling settings, as the golden files name them. */
import {
  createModelSampling,
  type ModelSampling,
  type SamplingSettings,
} from '../../../engine/sampling/model-sampling.ts';

const types: Readonly<Record<string, SamplingSettings>> = {
  EPS: { prediction: 'eps', schedule: {} },
  V_PREDICTION: { prediction: 'v', schedule: {} },
  V_PREDICTION_EDM: { prediction: 'v-edm', schedule: {} },
  V_PREDICTION_CONTINUOUS: { prediction: 'v', schedule: { type: 'continuous-v' } },
  STABLE_CASCADE: { prediction: 'eps', schedule: { type: 'cascade' } },
  EDM: { prediction: 'edm', schedule: {} },
  FLOW: { prediction: 'flow', schedule: {} },
  FLUX: { prediction: 'flow', schedule: { type: 'flux' } },
  IMG_TO_IMG: { prediction: 'img-to-img', schedule: {} },
  FLOW_COSMOS: { prediction: 'cosmos-rflow', schedule: {} },
};

/** ComfyUI's settings of one model type (keys in snake case) as a sampling object. */
export function samplingOf(
  type: string,
  settings: Readonly<Record<string, number | string | boolean>> = {},
): ModelSampling {
  const base = types[type];
  if (!base) throw new Error(`unknown model type ${type}`);
  const schedule = { ...base.schedule };
  for (const [key, value] of Object.entries(settings)) {
    schedule[key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  return createModelSampling({ ...base, schedule });
}
