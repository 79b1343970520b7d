/**
 * Turns the lines of a selection into comments (`// …`, left out when the prompt is queued), or
 * back when all of them are; the selection moves along.
 */
export function toggleComment(
  text: string,
  start: number,
  end: number,
): { text: string; start: number; end: number } {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const next = text.indexOf('\n', Math.max(start, end - 1));
  const to = next < 0 ? text.length : next;
  const lines = text.slice(from, to).split('\n');
  const marked = (line: string): boolean => /^\s*\/\//.test(line);
  const all = lines.every((line) => line.trim() === '' || marked(line));
  const changed = lines.map((line) =>
    all ? line.replace(/^(\s*)\/\/ ?/, '$1') : line.trim() === '' ? line : `// ${line}`,
  );
  const by = changed.join('\n').length - (to - from);
  const first = changed[0].length - lines[0].length;
  return {
    text: text.slice(0, from) + changed.join('\n') + text.slice(to),
    start: Math.max(from, start + first),
    end: start === end ? Math.max(from, end + first) : end + by,
  };
}
