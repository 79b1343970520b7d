import { effect } from '@preact/signals';
import type { PageParts } from '../panels/parts.ts';
import { queueMode } from './queue-mode.ts';

/** Milliseconds between two looks at what would be queued. */
const pace = 400;

/**
 * Queues the open workflow by itself as the mode says; returns how to end that. What cannot be
 * queued ends the mode, for it would fail again at once.
 */
export function startAutoQueue({ runner, state }: Pick<PageParts, 'runner' | 'state'>): () => void {
  let queueing = false;
  const queue = async (): Promise<void> => {
    if (queueing) return;
    queueing = true;
    if (!(await runner.queue())) queueMode.value = 'once';
    queueing = false;
  };
  const isFree = (): boolean =>
    state.queueRemaining.value === 0 && state.connection.value === 'open' && !queueing;

  let timer: ReturnType<typeof setInterval> | undefined;
  const watchChanges = (): void => {
    let last = runner.promptText();
    timer = setInterval(() => {
      if (!isFree()) return;
      const now = runner.promptText();
      if (now === last) return;
      // Seeds that move on with every run are no change.
      void queue().then(() => {
        last = runner.promptText();
      });
    }, pace);
  };
  const stopMode = effect(() => {
    clearInterval(timer);
    if (queueMode.value === 'change') watchChanges();
  });
  const stopInstant = effect(() => {
    const wanted = queueMode.value === 'instant' && isFree();
    // After this turn: the end of a run is told in several messages.
    if (wanted) setTimeout(() => queueMode.value === 'instant' && isFree() && void queue(), 50);
  });
  return () => {
    clearInterval(timer);
    stopMode();
    stopInstant();
  };
}
