/** Patterns that users write, as Python reads them, within a time. */
import { compileRegex, substitute, withinTime } from 'noodle/node';

/** Seconds a pattern may take. */
const LONGEST_MATCHING = 5;
const FLAGS = { ignoreCase: false, multiline: false, dotAll: false };

const inTime = <T>(run: () => T): T =>
  withinTime('matching this pattern against this text', LONGEST_MATCHING, run);

/** Python's `re.search`, or `re.match` at the start, as a yes or no. */
export const matches = (pattern: string, text: string, atStart = false): boolean =>
  inTime(() => {
    const found = compileRegex(pattern, FLAGS).regex[Symbol.matchAll](text).next();
    return found.done !== true && (!atStart || found.value.index === 0);
  });

/** Python's `re.sub`, and how often it replaced. */
export const replacePattern = (
  pattern: string,
  by: string,
  text: string,
): [text: string, count: number] =>
  inTime(() => {
    const compiled = compileRegex(pattern, FLAGS);
    return [substitute(compiled, by, text), [...text.matchAll(compiled.regex)].length];
  });
