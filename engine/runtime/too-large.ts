/** What users are told of a model that memory is not enough for. */
import { NoodleError } from '../errors.ts';
import { sizeText } from '../size-text.ts';
import type { Provider } from './provider.ts';

/** What can be done, besides what every message about memory says. */
const remedies: Readonly<Record<Provider['memory'], string>> = {
  host: '',
  device:
    '. Smaller pictures, VAE Decode (Tiled), a smaller --memory-budget (large models then run in parts) ' +
    'or --device cpu take less of it',
};

/** What a model needs, in bytes, and what there is. */
export interface Want {
  readonly weights: number;
  /** Beyond that, for the run that failed. */
  readonly run?: number;
  readonly budget: number;
  readonly memory: Provider['memory'];
}

/** An error for want of memory, with what was wanted. */
export function tooLarge(error: NoodleError, { weights, run, budget, memory }: Want): NoodleError {
  const beside = run === undefined ? '' : ` and this run about ${sizeText(run)}`;
  const sizes = `its weights take ${sizeText(weights)}${beside} of ${sizeText(budget)} for models`;
  const model = String(error.details.model);
  const reason = `${String(error.details.reason)}; ${sizes}${remedies[memory]}`;
  return new NoodleError('OUT_OF_MEMORY', { model, reason }, { cause: error });
}
