/** Python's str methods where JavaScript's differ: code points, title case, white space. */

// What str.isspace says yes to.
// eslint-disable-next-line no-control-regex -- Python counts the information separators as space
const LEADING = /^[\p{White_Space}\x1c-\x1f]+/u;
// eslint-disable-next-line no-control-regex -- as above
const TRAILING = /[\p{White_Space}\x1c-\x1f]+$/u;

/** str.strip, lstrip, rstrip. */
export function strip(text: string, side: 'both' | 'left' | 'right' = 'both'): string {
  const left = side === 'right' ? text : text.replace(LEADING, '');
  return side === 'left' ? left : left.replace(TRAILING, '');
}

/** `text[start:end]` in code points, negative positions from the end. */
export function slice(text: string, start: number, end: number): string {
  return [...text].slice(start, end).join('');
}

/** len(text): code points. */
export function length(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** str.replace; an empty `find` stands between all characters. */
export function replaceAll(text: string, find: string, replacement: string): string {
  if (find !== '') return text.split(find).join(replacement);
  return [...text].reduce((sum, char) => sum + char + replacement, replacement);
}

/** str.capitalize: the first character in title case, the rest in lower case. */
export function capitalize(text: string): string {
  const chars = [...text];
  return chars.map((char, i) => (i === 0 ? titleChar(char) : lowerChar(chars, i))).join('');
}

/** str.title: every run of cased characters starts in title case. */
export function title(text: string): string {
  const chars = [...text];
  let inside = false;
  return chars
    .map((char, i) => {
      const result = inside ? lowerChar(chars, i) : titleChar(char);
      inside = /\p{Cased}/u.test(char);
      return result;
    })
    .join('');
}

/** Lower case in its surroundings: only capital sigma looks at them (final sigma). */
function lowerChar(chars: readonly string[], at: number): string {
  if (chars[at] !== 'Σ') return chars[at].toLowerCase();
  const cased = (step: 1 | -1): boolean => {
    let i = at + step;
    while (i >= 0 && i < chars.length && /\p{Case_Ignorable}/u.test(chars[i])) i += step;
    return i >= 0 && i < chars.length && /\p{Cased}/u.test(chars[i]);
  };
  return cased(-1) && !cased(1) ? 'ς' : 'σ';
}

/** Digraphs have a title case of their own. */
const DIGRAPHS: Readonly<Record<string, string>> = Object.fromEntries(
  ['Ǆǅǆ', 'Ǉǈǉ', 'Ǌǋǌ', 'Ǳǲǳ'].flatMap((forms) => [...forms].map((char) => [char, forms[1]])),
);

/** Unicode title case of one character, from what JavaScript knows of upper case. */
function titleChar(char: string): string {
  if (Object.hasOwn(DIGRAPHS, char)) return DIGRAPHS[char];
  const upper = char.toUpperCase();
  const [first, ...rest] = upper;
  if (rest.length === 0) return upper;
  // Greek with iota subscript: upper case writes the iota out, title case keeps it below.
  if (/[\u1f80-\u1fff]/.test(char) && rest.at(-1) === '\u0399') {
    const below = upper.slice(0, -1) + '\u0345';
    return rest.length === 1 ? below.normalize('NFC') : below;
  }
  // Ligatures (`ﬁ` -> `Fi`); not where the first sign is no letter with case (`ŉ`).
  return /\p{Cased}/u.test(first) && !/\p{Lm}/u.test(first)
    ? first + rest.join('').toLowerCase()
    : upper;
}
