/** A run as a job of the queue: a prompt of one node, which names it. */

/** The class of that node. */
export const TRAIN_NODE = 'NoodleTrain';

export interface TrainPrompt {
  readonly [id: string]: {
    readonly class_type: typeof TRAIN_NODE;
    readonly inputs: { readonly run: string };
  };
}

/** The prompt that trains a run. */
export const trainPrompt = (run: string): TrainPrompt => ({
  1: { class_type: TRAIN_NODE, inputs: { run } },
});

/** The runs that a prompt (JSON text) trains. */
export function runsInPrompt(text: string): string[] {
  // Most prompts train nothing, and some are long.
  if (!text.includes(TRAIN_NODE)) return [];
  const prompt = JSON.parse(text) as Record<string, Record<string, unknown> | null>;
  return Object.values(prompt).flatMap((node) => {
    if (node?.class_type !== TRAIN_NODE) return [];
    const { run } = (node.inputs ?? {}) as { run?: unknown };
    return typeof run === 'string' ? [run] : [];
  });
}
