import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { notLoaded, reload } from '../later.ts';
import { t } from '../locale/translate.ts';

/**
 * A component whose code is loaded when it is first drawn; nothing is shown until it is there. Where
 * that fails it says so.
 */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const loaded = signal<ComponentType<P> | null>(null);
  const failure = signal<string | null>(null);
  let started = false;
  const start = async (): Promise<void> => {
    started = true;
    try {
      loaded.value = await load();
    } catch (error) {
      failure.value = notLoaded(error);
    }
  };
  return function Lazy(props: P) {
    if (!started) void start();
    const Body = loaded.value;
    if (Body !== null) return <Body {...props} />;
    if (failure.value === null) return null;
    return (
      <p class="load-failed" role="alert">
        {failure.value}
        <button type="button" onClick={reload}>
          {t('Reload the page')}
        </button>
      </p>
    );
  };
}
