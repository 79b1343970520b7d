/** The outputs that a user likes best: paths among the user's settings. */
import { mergeSettings, readSettings } from '../../store/settings.ts';

const ID = 'Noodle.Gallery.Favourites';
const MOST = 20_000;

/** Paths relative to the output folder. */
export function readFavourites(userRoot: string): ReadonlySet<string> {
  const stored = readSettings(userRoot)[ID];
  const paths = Array.isArray(stored) ? stored : [];
  return new Set(paths.filter((path) => typeof path === 'string'));
}

/** Adds and removes favourites; the newest are kept where there are too many. */
export function changeFavourites(
  userRoot: string,
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
): ReadonlySet<string> {
  const all = new Set(readFavourites(userRoot));
  for (const path of add) all.add(path);
  for (const path of remove) all.delete(path);
  const kept = [...all].slice(-MOST);
  mergeSettings(userRoot, { [ID]: kept });
  return new Set(kept);
}
