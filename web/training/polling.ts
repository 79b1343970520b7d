import { useEffect } from 'preact/hooks';

/**
 * Calls `look` now and again and again while the component is there and the window is looked at; `look` says how many
 * milliseconds later it is to be called again.
 */
export function usePolling(look: () => Promise<number>, inputs: readonly unknown[]): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    let isLooking = false;
    const turn = async (): Promise<void> => {
      clearTimeout(timer);
      if (isLooking || isOver) return;
      isLooking = true;
      const pause = await look();
      isLooking = false;
      if (!isOver && !document.hidden) timer = setTimeout(() => void turn(), pause);
    };
    const seen = (): void => {
      if (!document.hidden) void turn();
    };
    void turn();
    document.addEventListener('visibilitychange', seen);
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, inputs);
}
