import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';

/** A component whose code is loaded when it is first drawn; nothing is shown until it is there. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const loaded = signal<ComponentType<P> | null>(null);
  let started = false;
  return function Lazy(props: P) {
    if (!started) {
      started = true;
      void load().then((component) => {
        loaded.value = component;
      });
    }
    const Body = loaded.value;
    return Body === null ? null : <Body {...props} />;
  };
}
