/**
 * Emphasis in prompts: `(text)` is 1.1 times as strong, `(text:1.3)` has that weight, `\(` is a
 * plain bracket. The rules, with all their corners, are ComfyUI's.
 */
import { NoodleError } from '../errors.ts';
import { parseFloatText } from '../python/coerce.ts';

export interface Segment {
  readonly text: string;
  readonly weight: number;
}

// Escaped brackets hide behind these while brackets are counted. A user who types them gets brackets.
const ESCAPED_CLOSE = '\u0000\u0001';
const ESCAPED_OPEN = '\u0000\u0002';

/** Deeper nesting is refused: the work grows with length times depth. */
const MAX_DEPTH = 500;

/**
 * Splits a prompt into segments of equal weight, in order, escapes resolved. Throws BAD_INPUT when
 * brackets nest more than 500 deep.
 */
export function parseEmphasis(prompt: string): Segment[] {
  const segments: Segment[] = [];
  // Nested pieces are worked off from a stack, so that depth costs no call frames.
  const open: { text: string; weight: number; depth: number }[] = [];
  const push = (text: string, weight: number, depth: number): void => {
    for (const piece of splitAtBrackets(text).reverse()) open.push({ text: piece, weight, depth });
  };
  push(escapeBrackets(prompt), 1, 0);
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { text, weight, depth } = item;
    if (text.length < 2 || !text.startsWith('(') || !text.endsWith(')')) {
      segments.push({ text: unescapeBrackets(text), weight });
      continue;
    }
    if (depth === MAX_DEPTH) {
      throw new NoodleError('BAD_INPUT', {
        subject: 'prompt',
        expected: `at most ${MAX_DEPTH} nested brackets`,
        got: 'more',
      });
    }
    const inner = text.slice(1, -1);
    const colon = inner.lastIndexOf(':');
    const stated = colon > 0 ? parseFloatText(inner.slice(colon + 1)) : undefined;
    if (stated === undefined) push(inner, weight * 1.1, depth + 1);
    else push(inner.slice(0, colon), stated, depth + 1);
  }
  return segments;
}

/** The text as one segment of weight 1 with its escapes resolved (encoders that know no emphasis). */
export function plainSegment(prompt: string): Segment[] {
  return [{ text: unescapeBrackets(escapeBrackets(prompt)), weight: 1 }];
}

/**
 * Cuts text where the bracket level leaves or returns to exactly 0. After a surplus `)` the level is
 * negative and nothing counts as bracketed until it balances; an unclosed `(` stays plain.
 */
function splitAtBrackets(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let level = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '(') {
      if (level === 0) {
        if (i > start) pieces.push(text.slice(start, i));
        start = i;
      }
      level++;
    } else if (c === ')') {
      level--;
      if (level === 0) {
        pieces.push(text.slice(start, i + 1));
        start = i + 1;
      }
    }
  }
  if (start < text.length) pieces.push(text.slice(start));
  return pieces;
}

const escapeBrackets = (text: string): string =>
  text.replaceAll('\\)', ESCAPED_CLOSE).replaceAll('\\(', ESCAPED_OPEN);

const unescapeBrackets = (text: string): string =>
  text.replaceAll(ESCAPED_CLOSE, ')').replaceAll(ESCAPED_OPEN, '(');
