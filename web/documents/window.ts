/** Who this window is among the windows of this browser that show the page. */
export interface ThisWindow {
  /** The same after a reload; never shared with another window that is open. */
  readonly id: string;
  /** The window this one was duplicated from, or the one it was before a crash. */
  readonly copyOf: string | null;
  /** Ids of the other windows that are open now; takes `patience` milliseconds. */
  readonly others: (patience?: number) => Promise<ReadonlySet<string>>;
}

const idKey = 'noodle.window';
const freeKey = 'noodle.window.free';

/**
 * Finds or makes this window's id. A duplicated window starts with a copy of the other's session
 * store, id included; what tells it from a reload is that nobody gave the id up by leaving.
 */
export function thisWindow(session: Storage, makeId: () => string): ThisWindow {
  const stored = session.getItem(idKey);
  const given = stored !== null && session.getItem(freeKey) === 'yes';
  const id = given ? stored : makeId();
  session.setItem(idKey, id);
  session.removeItem(freeKey);
  window.addEventListener('pagehide', () => session.setItem(freeKey, 'yes'));
  window.addEventListener('pageshow', () => session.removeItem(freeKey));

  const channel = new BroadcastChannel('noodle.windows');
  let present = new Set<string>();
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data === 'who is there?') channel.postMessage(id);
    else if (typeof data === 'string') present.add(data);
  });
  return {
    id,
    copyOf: given ? null : stored,
    others: async (patience = 150) => {
      present = new Set();
      channel.postMessage('who is there?');
      await new Promise((resolve) => setTimeout(resolve, patience));
      return present;
    },
  };
}
