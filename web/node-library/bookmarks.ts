import type { Settings } from '../settings/settings.ts';

/** ComfyUI keeps the nodes a user has marked under this name; folders of them end with a slash. */
const id = 'Comfy.NodeLibrary.Bookmarks.V2';

const stored = (settings: Settings): string[] => {
  const list = settings.other(id);
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
};

const typeOf = (entry: string): string => entry.slice(entry.lastIndexOf('/') + 1);

/** Types of the nodes that the user has marked, in the order of marking. */
export const bookmarkedTypes = (settings: Settings): string[] =>
  stored(settings).map(typeOf).filter(Boolean);

/** Marks a node, or takes its mark away. */
export function toggleBookmark(settings: Settings, type: string): void {
  const list = stored(settings);
  const others = list.filter((entry) => typeOf(entry) !== type);
  void settings.setOther(id, others.length === list.length ? [...list, type] : others);
}
