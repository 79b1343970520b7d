import { t } from './locale/translate.ts';
import { toast, type State } from './state.ts';
import { messageOf } from './text.ts';

/** Does what needs code that is loaded when it is first wanted; says so where that fails. */
export function later<T>(state: State, load: () => Promise<T>, run: (loaded: T) => unknown): void {
  load()
    .then(run)
    .catch((error: unknown) => {
      toast(state, notLoaded(error), 'error', { label: t('Reload the page'), run: reload });
    });
}

/** What is said where code did not come: the server is away, or has a newer page. */
export const notLoaded = (error: unknown): string =>
  t('This part of the page could not be loaded: {why}', { why: messageOf(error) });

/**
 * Loads the page anew, which is how browsers try code again that did not come; not while the server
 * is away, which would leave nothing on the screen.
 */
export function reload(): void {
  void fetch('.', { cache: 'no-cache' }).then(
    ({ ok }) => ok && location.reload(),
    () => undefined,
  );
}
