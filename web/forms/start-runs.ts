import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';
import { Refused } from './api.ts';
import type { FormPageParts } from './parts.ts';
import type { Planned } from './variations.ts';

/** Starts runs and shows beside the fields what the server refused of them. */
export async function startRuns(
  { model, runs, state }: FormPageParts,
  planned: readonly Planned[],
  title: string,
  columns: number | null = null,
): Promise<void> {
  try {
    await runs.start(planned, title, columns);
  } catch (error) {
    const loose = error instanceof Refused ? model.value.refuse(error.parts) : [messageOf(error)];
    const isShown = Object.keys(model.value.errors.value).length > 0;
    if (loose.length > 0 || !isShown) toast(state, loose[0] ?? messageOf(error), 'error');
    // The first field that is wrong is where to go on.
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>('.form-field [aria-invalid="true"]')?.focus(),
    );
  }
}

/** One run with the values as they are, seeds drawn where they are to be. */
export function startOne(parts: FormPageParts): Promise<void> {
  const model = parts.model.value;
  if (model.findEmpty()) {
    toast(parts.state, t('Some fields need a value'), 'error');
    return Promise.resolve();
  }
  return startRuns(parts, [{ values: model.next(), label: '' }], '');
}

/** As many runs, each with seeds of its own. */
export function startSome(parts: FormPageParts, count: number): Promise<void> {
  const model = parts.model.value;
  const planned = Array.from({ length: count }, (_, i) => ({
    values: model.next(),
    label: `${i + 1} / ${count}`,
  }));
  return startRuns(parts, planned, t('{count} pictures', { count }), null);
}
