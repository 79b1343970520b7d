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
    const { open, close, inner, weight } = enclosing;
    return replace(text, open, close, withWeight(inner, weight + direction * 0.05));
  }
  if (start === end) [start, end] = wordAt(text, start);
  while (end > start && text[end - 1] === ' ') end--;
  if (start === end) return { text, start, end };
  return replace(text, start, end, withWeight(text.slice(start, end), 1 + direction * 0.05));
}

function findWeighted(text: string, start: number, end: number) {
  const pattern = /\(([^()]*):([\d.]+)\)/g;
  for (const match of text.matchAll(pattern)) {
    const open = match.index;
    const close = open + match[0].length;
    if (open <= start && end <= close) {
      return { open, close, inner: match[1], weight: Number(match[2]) };
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
  return [start, end];
}

const withWeight = (inner: string, weight: number): string => {
  const rounded = Math.round(weight * 100) / 100;
  return rounded === 1 || rounded <= 0 ? inner : `(${inner}:${rounded})`;
};

const replace = (text: string, from: number, to: number, by: string) => ({
  text: text.slice(0, from) + by + text.slice(to),
  start: from,
  end: from + by.length,
});
