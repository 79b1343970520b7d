/** How far an adapter was trained, as its file says it: ai-toolkit's `training_info`. */
import type { WeightSource } from '../../weights/source.ts';

export interface TrainingInfo {
  /** Finished steps; left out where the file does not say. */
  readonly step?: number;
  readonly epoch?: number;
}

/** What the metadata of a saved adapter says of its run. */
export function trainingInfo({ metadata = {} }: Pick<WeightSource, 'metadata'>): TrainingInfo {
  try {
    const said = JSON.parse(metadata.training_info ?? '{}') as Record<string, unknown> | null;
    return { step: countOf(said?.step), epoch: countOf(said?.epoch) };
  } catch {
    return {}; // metadata of somebody else
  }
}

const countOf = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
