/**
 * How well a text answers a word that was typed (both in lower case), 0 for not at all: the whole
 * text, its beginning, the beginning of a word in it, anywhere in it, the first letters of its
 * words, and at last its letters in their order with little between them.
 */
export function scoreOf(text: string, word: string): number {
  if (text === word) return 100;
  if (text.startsWith(word)) return 60;
  const at = text.indexOf(word);
  if (at > 0) return isStart(text, at) ? 40 : 28;
  const initials = text
    .split(/[^a-z0-9]+/)
    .map((part) => part.charAt(0))
    .join('');
  if (word.length > 1 && initials.startsWith(word)) return 24;
  return word.length < 3 ? 0 : scattered(text, word);
}

const isStart = (text: string, at: number): boolean => !/[a-z0-9]/.test(text.charAt(at - 1));

/** Letters in their order: worth less the more runs they fall into; too many are no answer. */
function scattered(text: string, word: string): number {
  let at = text.indexOf(word.charAt(0));
  if (at < 0) return 0;
  let runs = 1;
  for (const letter of word.slice(1)) {
    if (text.charAt(at + 1) === letter) {
      at++;
      continue;
    }
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return 0;
    runs++;
    at = next;
  }
  const most = Math.ceil(word.length / 2);
  return runs > most ? 0 : 14 - (8 * runs) / most;
}

/** The worth of all words that were typed, each by what answers it best; null when one of them has no answer. */
export function scoreOfAll(
  words: readonly string[],
  worth: (word: string) => number,
): number | null {
  let total = 0;
  for (const word of words) {
    const gain = worth(word);
    if (gain <= 0) return null;
    total += gain;
  }
  return total;
}

/** What was typed as words in lower case. */
export const typedWords = (text: string): string[] =>
  text.toLowerCase().split(/\s+/).filter(Boolean);

/** A class name as words: `CLIPTextEncode` is 'clip text encode', `ckpt_name` 'ckpt name'. */
export const wordsOf = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replace(/[_/]+/g, ' ')
    .toLowerCase();
