import { t } from './locale/translate.ts';
import { toast, type State } from './state.ts';
import { messageOf } from './text.ts';

/** Does what needs code that is loaded when it is first wanted; says so where that fails. */
export function later<T>(state: State, load: () => Promise<T>, run: (loaded: T) => unknown): void {
  load()
    .then(run)
    .catch((error: unknown) => {
      const why = messageOf(error);
      toast(state, t('This part of the page could not be loaded: {why}', { why }), 'error');
    });
}
