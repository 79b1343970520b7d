const widths = new Map<string, number>();
const fitted = new Map<string, string>();
const most = 4000;

/** How wide a text is in the context's font, measured once. */
export function textWidth(ctx: CanvasRenderingContext2D, text: string): number {
  const key = `${ctx.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    width = ctx.measureText(text).width;
    keep(widths, key, width);
  }
  return width;
}

/** Shortens text with an ellipsis until it fits; '' when nothing fits. */
export function fitText(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (width <= 4) return '';
  if (textWidth(ctx, text) <= width) return text;
  const key = `${ctx.font}|${Math.floor(width)}|${text}`;
  let shown = fitted.get(key);
  if (shown === undefined) {
    shown = shorten(ctx, text, width);
    keep(fitted, key, shown);
  }
  return shown;
}

/** Texts measured before a font arrived were measured in another. */
export function forgetTexts(): void {
  widths.clear();
  fitted.clear();
}

function shorten(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(text.slice(0, middle).trimEnd() + '…').width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '…' : text.slice(0, low).trimEnd() + '…';
}

/** Texts that change with every drag of a value must not pile up. */
function keep<T>(store: Map<string, T>, key: string, value: T): void {
  if (store.size >= most) store.clear();
  store.set(key, value);
}
