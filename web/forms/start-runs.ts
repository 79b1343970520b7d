import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import { Refused, type BatchWish, type Value, type Values } from './api.ts';
import type { FormModel } from './model.ts';
import type { FormPageParts } from './parts.ts';

/** Does what starts runs, and shows beside the fields what the server refused of them. */
export async function starting(
  { model, state }: FormPageParts,
  start: () => Promise<void>,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    const parts = error instanceof Refused ? error.parts : [];
    const loose = model.value.refuse(parts);
    const isShown = Object.keys(model.value.errors.value).length > 0;
    if (loose.length > 0 || !isShown) toast(state, messageOf(error), 'error');
    // The first field that is wrong is where to go on.
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>('.form-field [aria-invalid="true"]')?.focus(),
    );
  }
}

/** One run with the values as they are, seeds drawn where they are to be. */
export function startOne(parts: FormPageParts): Promise<void> {
  if (!isFilledIn(parts)) return Promise.resolve();
  return starting(parts, () => parts.runs.start(parts.model.value.next()));
}

/** Many runs with the values as they are, but for what `wish` says of them. */
export function startMany(
  parts: FormPageParts,
  wish: Pick<BatchWish, 'vary' | 'csv' | 'count'>,
  seeds: Pick<BatchWish, 'values' | 'seed_mode'>,
): Promise<void> {
  const given = new Set(wish.vary?.map(({ field }) => field));
  if (!isFilledIn(parts, (key) => given.has(key) || wish.csv !== undefined)) {
    return Promise.resolve();
  }
  return starting(parts, () => parts.runs.startBatch({ ...wish, ...seeds }));
}

/** Seeds of their own for all runs where the form draws them; else as `kept` says. */
export function seedsOf(
  model: FormModel,
  kept: 'fixed' | 'increment',
): Pick<BatchWish, 'values' | 'seed_mode'> {
  const drawn = model.drawn.value;
  const isGiven = ([key, value]: readonly [string, Value]): boolean =>
    value !== null && !drawn.has(key);
  const values = Object.fromEntries(Object.entries(model.values.value).filter(isGiven));
  return { values, seed_mode: drawn.size > 0 ? 'random' : kept };
}

/** The same seeds for all runs, drawn now where they are to be. */
export const oneSeed = (model: FormModel): Pick<BatchWish, 'values' | 'seed_mode'> => ({
  values: filledValues(model.next()),
  seed_mode: 'fixed',
});

const filledValues = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

function isFilledIn(
  { model, state }: FormPageParts,
  isGivenElsewhere?: (key: string) => boolean,
): boolean {
  if (!model.value.findEmpty(isGivenElsewhere)) return true;
  toast(state, t('Some fields need a value'), 'error');
  return false;
}
