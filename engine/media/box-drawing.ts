/** Boxes drawn on pictures: what detectors found, and the regions of an editor. */
import { hexColour } from '../array/hex-colour.ts';
import { type Bytes, lanczosBytes } from '../array/resample-bytes.ts';
import { clamp, roundHalfEven } from '../array/round.ts';
import { type Canvas, type Colour, fillRow } from '../array/shapes.ts';
import { beginning, faceOf, putInk, wrap } from './font/text.ts';

/** The sides of a rectangle, `width` pixels inwards from its border, whose ends are part of it. */
function frame(
  canvas: Canvas,
  [x0, y0, x1, y1]: readonly number[],
  width: number,
  colour: Colour,
): void {
  for (let i = 0; i < width; i++) {
    fillRow(canvas, y0 + i, x0, x1, colour);
    fillRow(canvas, y1 - i, x0, x1, colour);
  }
  const [from, to] = [y0 + width, y1 - width + 1];
  for (
    let y = Math.max(0, Math.min(from, to));
    y <= Math.min(canvas.height - 1, Math.max(from, to));
    y++
  ) {
    for (let i = 0; i < width; i++) {
      fillRow(canvas, y, x0 + i, x0 + i, colour);
      fillRow(canvas, y, x1 - i, x1 - i, colour);
    }
  }
}

function rectangle(canvas: Canvas, [x0, y0, x1, y1]: readonly number[], colour: Colour): void {
  for (let y = Math.max(0, y0); y <= Math.min(canvas.height - 1, y1); y++) {
    fillRow(canvas, y, x0, x1, colour);
  }
}

/** A thing that was found; `colour` is the number of its class, `label` what is written beside it. */
export interface Detection {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colour: number;
  readonly label?: string;
  readonly score: number;
}

const DETECTION_COLOURS: readonly Colour[] = [
  [255, 0, 0, 255],
  [0, 200, 0, 255],
  [0, 0, 255, 255],
  [255, 165, 0, 255],
  [128, 0, 128, 255],
  [0, 255, 255, 255],
  [255, 20, 147, 255],
  [100, 149, 237, 255],
];
const LABEL_SIZE = 10;

/** Draws on RGB or RGBA bytes in place, the surest last. */
export function drawDetections(canvas: Canvas, detections: readonly Detection[]): void {
  for (const found of [...detections].sort((a, b) => a.score - b.score)) {
    const colour = DETECTION_COLOURS[found.colour % DETECTION_COLOURS.length];
    const f = Math.fround;
    const [x0, y0] = [f(found.x), f(found.y)];
    const corners = [x0, y0, f(found.x + found.width), f(found.y + found.height)].map(Math.trunc);
    frame(canvas, corners, 3, colour);
    if (found.label === undefined) continue;
    const text = `${found.label} ${found.score.toFixed(2)}`;
    const place = [Math.trunc(x0 + 2), Math.trunc(y0 + 2)] as const;
    write(canvas, text, place, LABEL_SIZE, colour);
  }
}

/** Text whose line's top left corner is at a place. */
function write(
  canvas: Canvas,
  text: string,
  [x, y]: readonly [number, number],
  size: number,
  colour: Colour,
): void {
  const face = faceOf(size);
  const shown = beginning(text, face, canvas.width - x);
  putInk(canvas, face.coverage(shown, 0), x, y + face.ascender, colour);
}

/** A region in parts of the picture, with the words that are shown in it. */
export interface ShownRegion {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly words: string;
  /** Hex colours. */
  readonly palette: readonly string[];
}

const LONGEST_SIDE = 1024;
const DIM = 0.25;
const WHITE = [255, 255, 255];

/**
 * Regions with their numbers, colours and words, over a dimmed picture (RGB bytes) or grey of the size given, at most
 * 1024 pixels a side; RGB bytes.
 */
export function drawRegions(
  regions: readonly ShownRegion[],
  { width, height }: { readonly width: number; readonly height: number },
  background: Bytes | undefined,
): Bytes {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height, 1));
  const [w, h] = [width, height].map((side) => Math.max(1, roundHalfEven(side * scale)));
  const below = background && lanczosBytes(background, w, h).data;
  const overlay: Canvas = { data: new Uint8Array(w * h * 4), width: w, height: h, channels: 4 };
  regions.forEach((region, i) => drawRegion(overlay, region, i));
  const data = new Uint8Array(w * h * 3);
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / 3) * 4;
    const dim = below ? Math.trunc(below[i] * DIM) : DIM * 128;
    data[i] = over(dim, overlay.data[at + (i % 3)], overlay.data[at + 3]);
  }
  return { data, width: w, height: h, channels: 3 };
}

/** What lies over an opaque byte, in Pillow's whole numbers. */
function over(below: number, above: number, alpha: number): number {
  if (alpha === 0) return below;
  const t = above * alpha + below * (255 - alpha) + 128;
  return ((t >> 8) + t) >> 8;
}

function drawRegion(canvas: Canvas, region: ShownRegion, index: number): void {
  const { width, height } = canvas;
  const size = Math.max(10, roundHalfEven(height / 64));
  const first = region.palette.length > 0 ? region.palette[0] : undefined;
  const rgb = first === undefined ? [140, 140, 140] : (hexColour(first) ?? WHITE);
  const place = (v: number, side: number): number => clamp(roundHalfEven(v * side), 0, side);
  const [xs, ys] = [
    [place(region.x, width), place(region.x + region.w, width)],
    [place(region.y, height), place(region.y + region.h, height)],
  ].map((ends) => ends.sort((a, b) => a - b));
  const [[x0, x1], [y0, y1]] = [xs, ys];
  frame(canvas, [x0, y0, x1, y1], 2, [...rgb, 255]);
  drawPalette(canvas, region.palette.slice(0, 5), [x0, y0, x1], Math.max(5, Math.floor(size / 2)));
  const tag = String(index + 1).padStart(2, '0');
  const tagSize = Math.max(9, size - 2);
  const tagWidth = faceOf(tagSize).width(tag);
  rectangle(canvas, [x0, y0, x0 + tagWidth + 6, y0 + size + 2], [...rgb, 255]);
  const tagInk = brightness(rgb) > 140 ? [0, 0, 0, 255] : [...WHITE, 255];
  write(canvas, tag, [x0 + 3, y0 + 1], tagSize, tagInk);
  if (region.words === '' || x1 - x0 <= 8) return;
  const lines = wrap(region.words, faceOf(size), x1 - x0 - 8, 'keep');
  lines.forEach((line, i) => {
    const y = y0 + size + 5 + i * (size + 2);
    if (y <= y1) write(canvas, line, [x0 + 4, y], size, [...readable(rgb), 255]);
  });
}

function drawPalette(
  canvas: Canvas,
  colours: readonly string[],
  [x0, y0, x1]: readonly number[],
  high: number,
): void {
  if (colours.length === 0 || x1 - x0 <= 2) return;
  const each = (x1 - x0) / colours.length;
  colours.forEach((colour, i) => {
    const [from, to] = [i, i + 1].map((k) => x0 + roundHalfEven(k * each));
    rectangle(canvas, [from, y0, to, y0 + high], [...(hexColour(colour) ?? WHITE), 255]);
  });
}

const brightness = ([r, g, b]: Colour): number => 0.299 * r + 0.587 * g + 0.114 * b;

/** A colour made light enough to be read on dark grey. */
function readable(rgb: Colour): Colour {
  const light = brightness(rgb);
  if (light >= 130) return rgb;
  const t = (130 - light) / (255 - light);
  return rgb.map((v) => roundHalfEven(v + (255 - v) * t));
}
