import type { Documents } from './documents.ts';

/** Notes what the mouse may have edited, and keeps everything when the page may be about to go. */
export function watchEdits(documents: Documents): void {
  // Captured: litegraph keeps the events from going further.
  window.addEventListener('pointerdown', () => documents.begin(), { capture: true });
  for (const type of ['pointerup', 'pointercancel'] as const) {
    window.addEventListener(type, () => documents.changed(), { capture: true });
  }
  // The last moments at which the page surely still runs.
  const leave = (): void => {
    documents.settle();
    documents.keep();
  };
  window.addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave();
  });
}
