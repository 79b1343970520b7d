const widths = new Map<string, number>();
const fitted = new Map<string, string>();
const most = 4000;

/**
 * How wide a text is in the font that the context has now, measured once. `font` names that font:
 * asking the context for it takes longer than everything else here.
 */
export function textWidth(ctx: CanvasRenderingContext2D, font: string, text: string): number {
  const key = `${font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    width = ctx.measureText(text).width;
    keep(widths, key, width);
  }
  return width;
}

type Fit = (ctx: CanvasRenderingContext2D, font: string, text: string, width: number) => string;

/** Shortens text with an ellipsis until it fits; '' when nothing fits. `font` as in `textWidth`. */
export const fitText: Fit = (...line) => fitWith('end', ...line);

/** Shortens a file's name in its middle: how it ends tells as much as how it begins. */
export const fitFileName: Fit = (...line) => fitWith('middle', ...line);

/** A text with so many of its letters left, by where the others were. */
const cuts = {
  end: (text: string, letters: number): string => text.slice(0, letters).trimEnd() + '…',
  middle: (text: string, letters: number): string => {
    const tail = Math.floor(letters * 0.45);
    return `${text.slice(0, letters - tail)}…${text.slice(text.length - tail)}`;
  },
};
type Cut = keyof typeof cuts;

function fitWith(cut: Cut, ...[ctx, font, text, width]: Parameters<Fit>): string {
  if (width <= 4) return '';
  if (textWidth(ctx, font, text) <= width) return text;
  const key = `${cut}|${font}|${Math.floor(width)}|${text}`;
  let shown = fitted.get(key);
  if (shown === undefined) {
    shown = shorten(cut, ctx, text, width);
    keep(fitted, key, shown);
  }
  return shown;
}

/** Texts measured before a font arrived were measured in another. */
export function forgetTexts(): void {
  widths.clear();
  fitted.clear();
}

function shorten(cut: Cut, ctx: CanvasRenderingContext2D, text: string, width: number): string {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(cuts[cut](text, middle)).width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '…' : cuts[cut](text, low);
}

/** Texts that change with every drag of a value must not pile up. */
function keep<T>(store: Map<string, T>, key: string, value: T): void {
  if (store.size >= most) store.clear();
  store.set(key, value);
}
