/**
 * Puts text in the place of a part of a field as if it were typed, so that the field's own undo
 * takes it back; `select` is what is selected afterwards (after the text unless told otherwise).
 */
export function typeInto(
  area: HTMLTextAreaElement,
  from: number,
  to: number,
  text: string,
  select?: readonly [start: number, end: number],
): void {
  area.setSelectionRange(from, to);
  // The one way to edit a field that keeps its undo; marked as old, and without a successor.
  const command = text === '' ? 'delete' : 'insertText';
  if ((from !== to || text !== '') && !area.ownerDocument.execCommand(command, false, text)) {
    area.setRangeText(text, from, to, 'end');
    area.dispatchEvent(new Event('input', { bubbles: true }));
  }
  if (select !== undefined) area.setSelectionRange(select[0], select[1]);
}

/** Makes a field's text another one, touching only what differs. */
export function retype(
  area: HTMLTextAreaElement,
  text: string,
  select: readonly [start: number, end: number],
): void {
  const { value } = area;
  let start = 0;
  while (start < value.length && start < text.length && value[start] === text[start]) start++;
  let tail = 0;
  const most = Math.min(value.length, text.length) - start;
  while (tail < most && value[value.length - 1 - tail] === text[text.length - 1 - tail]) tail++;
  typeInto(area, start, value.length - tail, text.slice(start, text.length - tail), select);
}
