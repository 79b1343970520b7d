/** A training job: what a job file says, checked, with everything that it left out. */
import type { DatasetSettings } from './sections/dataset.ts';
import type { ModelSettings } from './sections/model.ts';
import type { NetworkSettings } from './sections/network.ts';
import type { SampleSettings } from './sections/sample.ts';
import type { LoggingSettings, SaveSettings } from './sections/save.ts';
import type { TrainSettings } from './sections/train.ts';

export interface TrainingJob {
  /** Of the run: one part of a path. */
  readonly name: string;
  /** Where runs lie; absolute. The run's own folder is `<trainingFolder>/<name>`. */
  readonly trainingFolder: string;
  /** The trigger word of sets that name none, and what `[trigger]` means in prompts. */
  readonly trigger: string | undefined;
  /** Seeds the generators of tensors and of lists before anything else; undefined: any. */
  readonly seed: number | undefined;
  /** Stop at a loss that is no finite number (DEBUG_TOOLKIT). */
  readonly stopsOnNotFinite: boolean;
  /** Where models of the Hub are looked for (MODELS_PATH). */
  readonly modelsPath: string | undefined;
  readonly network: NetworkSettings;
  readonly train: TrainSettings;
  readonly model: ModelSettings;
  /** At least one; a list of resolutions has become as many sets. */
  readonly datasets: readonly DatasetSettings[];
  readonly save: SaveSettings;
  readonly sample: SampleSettings;
  /** The samples before the first step, where they are others. */
  readonly firstSample: SampleSettings | undefined;
  readonly logging: LoggingSettings;
  /** Goes into the metadata of what is saved. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** What is done in place of what was asked for: `train.dtype: bf16 -> fp32 (computed in fp32)`. */
  readonly substitutions: readonly string[];
  /** What was said and means nothing here. */
  readonly warnings: readonly string[];
  /** The file after its replacements, for the run's `config.yaml`. */
  readonly raw: Readonly<Record<string, unknown>>;
}
