/** What a mistyped name was meant to be. */

/**
 * The name of `known` that it takes the fewest changes of a letter to reach (Levenshtein 1966); none where that
 * would be more than half of the name.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    if (candidate.includes('*') || Math.abs(candidate.length - name.length) >= least) continue;
    const changes = distance(name, candidate);
    if (changes < least) [best, least] = [candidate, changes];
  }
  return best;
}

/** How many letters are put in, taken out or changed between two words. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[to.length];
}
