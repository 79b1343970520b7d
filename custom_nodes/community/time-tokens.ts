/** WAS Suite's tokens of time in names: `[time]` and `[time(%Y-%m-%d)]`. */

const two = (value: number): string => String(value).padStart(2, '0');

/** The codes of strftime that names are made of; others stay. */
const CODES: Readonly<Record<string, (now: Date) => string>> = {
  Y: (now) => String(now.getFullYear()),
  y: (now) => two(now.getFullYear() % 100),
  m: (now) => two(now.getMonth() + 1),
  d: (now) => two(now.getDate()),
  H: (now) => two(now.getHours()),
  I: (now) => two(now.getHours() % 12 || 12),
  M: (now) => two(now.getMinutes()),
  S: (now) => two(now.getSeconds()),
  p: (now) => (now.getHours() < 12 ? 'AM' : 'PM'),
  '%': () => '%',
};

/** The text with its tokens of time replaced, in local time. */
export function withTime(text: string, now = new Date()): string {
  return text
    .replaceAll('[time]', String(Math.floor(now.getTime() / 1000)))
    .replace(/\[time\((.*?)\)\]/g, (_, format: string) =>
      format.replace(/%([A-Za-z%])/g, (code, letter: string) => CODES[letter]?.(now) ?? code),
    );
}
