/** What the editor does to texts when a prompt is queued: `{a|b}` choices and `%…%` tokens. */
import type { Json } from './lossless-json.ts';

/**
 * Picks one of `{a|b}` (nested too), removes `//` and block comments, and takes the backslash off
 * `\{`, `\|`, `\}`. `random` gives numbers in [0, 1).
 */
export function pickChoices(text: string, random: () => number): string {
  const source = text.replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
  let at = 0;

  const plain = (): string => {
    const c = source[at++];
    return c === '\\' && at < source.length ? c + source[at++] : c;
  };
  const choice = (): string => {
    const choices = [''];
    while (at < source.length) {
      if (source[at] === '}') {
        at++;
        break;
      }
      if (source[at] === '|') {
        at++;
        choices.push('');
      } else choices[choices.length - 1] += piece();
    }
    return choices[Math.floor(random() * choices.length)];
  };
  let depth = 0;
  const piece = (): string => {
    // Absurd nesting is left as it stands instead of overflowing the stack.
    if (source[at] !== '{' || depth > 200) return plain();
    at++;
    depth++;
    const chosen = choice();
    depth--;
    return chosen;
  };

  let result = '';
  while (at < source.length) result += piece();
  return result.replace(/\\([{}|])/g, '$1');
}

/**
 * Replaces `%date:format%` (d M y h m s) and `%Node.widget%`; tokens that name nothing stay, for the
 * server knows some more. `lookUp` gives a widget's value, undefined when there is no such widget.
 */
export function replaceTokens(
  text: string,
  now: Date,
  lookUp: (node: string, widget: string) => Json | undefined,
): string {
  return text.replace(/%([^%]+)%/g, (whole, token: string) => {
    if (token.startsWith('date:')) return formatDate(token.slice('date:'.length), now);
    const parts = token.split('.');
    if (parts.length !== 2) return whole;
    const value = lookUp(parts[0], parts[1]);
    if (value === undefined || value === null || typeof value === 'object') return whole;
    // eslint-disable-next-line no-control-regex -- what no file name may hold
    return String(value).replace(/[/?<>\\:*|"\u0000-\u001f\u007f]/g, '_');
  });
}

function formatDate(format: string, now: Date): string {
  const parts: Readonly<Record<string, number>> = {
    d: now.getDate(),
    M: now.getMonth() + 1,
    h: now.getHours(),
    m: now.getMinutes(),
    s: now.getSeconds(),
  };
  return format.replace(/d{1,2}|M{1,2}|h{1,2}|m{1,2}|s{1,2}|y{2,4}/g, (run) => {
    if (run[0] === 'y') return String(now.getFullYear()).slice(run.length === 2 ? 2 : 0);
    return String(parts[run[0]]).padStart(run.length, '0');
  });
}
