/**
 * ComfyUI's prompt weights from the keyboard: wraps the selection (or the word at the caret) as
 * `(text:1.05)` and moves the weight by 0.05 a press; a weight back at 1 unwraps it.
 */
export function adjustEmphasis(
  text: string,
  start: number,
  end: number,
  direction: 1 | -1,
): { text: string; start: number; end: number } {
  const enclosing = findWeighted(text, start, end);
  if (enclosing !== null) {
    const { open, close, weight, written } = enclosing;
    return replace(text, open, close, written(rounded(weight + direction * 0.05)));
  }
  if (start === end) [start, end] = wordAt(text, start);
  while (end > start && text[end - 1] === ' ') end--;
  if (start === end) return { text, start, end };
  return replace(
    text,
    start,
    end,
    withWeight(text.slice(start, end), rounded(1 + direction * 0.05)),
  );
}

/** What has a weight, and how it is written with another one. */
const weighted: readonly (readonly [RegExp, (inner: string, weight: number) => string])[] = [
  [/\(([^()]*):([\d.]+)\)/g, withWeight],
  [/<(lora:[^<>:]+):(-?[\d.]+)>/g, (inner, weight) => `<${inner}:${weight}>`],
];

function findWeighted(text: string, start: number, end: number) {
  for (const [pattern, write] of weighted) {
    for (const match of text.matchAll(pattern)) {
      const open = match.index;
      const close = open + match[0].length;
      if (open > start || end > close) continue;
      const written = (weight: number): string => write(match[1], weight);
      return { open, close, weight: Number(match[2]), written };
    }
  }
  return null;
}

function wordAt(text: string, at: number): [number, number] {
  const isWord = (c: string | undefined): boolean => c !== undefined && !/[\s,.()<>:;]/.test(c);
  let start = at;
  let end = at;
  while (start > 0 && isWord(text[start - 1])) start--;
  while (end < text.length && isWord(text[end])) end++;
  // An embedding is weighted with the mark that makes it one.
  const mark = /embedding:$/i.exec(text.slice(0, start))?.[0].length ?? 0;
  return [start - mark, end];
}

function withWeight(inner: string, weight: number): string {
  return weight === 1 || weight <= 0 ? inner : `(${inner}:${weight})`;
}

const rounded = (weight: number): number => Math.round(weight * 100) / 100;

const replace = (text: string, from: number, to: number, by: string) => ({
  text: text.slice(0, from) + by + text.slice(to),
  start: from,
  end: from + by.length,
});
