/** Which nodes this user adds, and when: the search offers them first. */

const key = 'noodle.nodes.used';
const most = 200;

/** How often a type was added, and in the order of last use: higher is later. */
interface Use {
  readonly count: number;
  readonly last: number;
}

let uses: Map<string, Use> | null = null;

const all = (): Map<string, Use> => (uses ??= read());

/** Notes that a node was added. */
export function noteUse(type: string): void {
  const last = 1 + Math.max(0, ...[...all().values()].map((use) => use.last));
  all().set(type, { count: (all().get(type)?.count ?? 0) + 1, last });
  const kept = [...all()].sort(([, a], [, b]) => b.last - a.last).slice(0, most);
  uses = new Map(kept);
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // No room, or forbidden: the search knows it until the page is closed.
  }
}

/** Types last added first. */
export const recentTypes = (limit: number): string[] =>
  [...all()]
    .sort(([, a], [, b]) => b.last - a.last)
    .slice(0, limit)
    .map(([type]) => type);

/** What frequent use adds to a node's rank, 0 to 8. */
export const useBonus = (type: string): number =>
  Math.min(8, 2 * Math.log2(1 + (all().get(type)?.count ?? 0)));

function read(): Map<string, Use> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return new Map(Array.isArray(stored) ? (stored as [string, Use][]).filter(isUse) : []);
  } catch {
    return new Map();
  }
}

const isUse = (entry: unknown): boolean =>
  Array.isArray(entry) &&
  typeof entry[0] === 'string' &&
  Number.isFinite((entry[1] as Use | undefined)?.count) &&
  Number.isFinite((entry[1] as Use | undefined)?.last);
