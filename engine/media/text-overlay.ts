/** A text over pictures, at their top or bottom, as large as fits. */
import { type NDArray, nd } from '../array/nd.ts';
import { roundHalfEven } from '../array/round.ts';
import { type Face, faceOf, putInk, wrap } from './font/text.ts';

export interface TextStyle {
  /** Percent of the height. */
  readonly fontSize: number;
  /** RGBA bytes. */
  readonly colour: readonly number[];
  readonly position: 'top' | 'bottom';
  readonly align: 'left' | 'center' | 'right';
  readonly outline: boolean;
}

const BLACK = [0, 0, 0, 255];
const MARGIN = 0.01;
const LINE_HEIGHT = 1.2;
const OUTLINE = 0.04;
/** Text is not made smaller than this, in parts of the height and in pixels. */
const [LEAST_PART, LEAST_PIXELS] = [0.02, 10];

interface Block {
  readonly face: Face;
  readonly stroke: number;
  readonly lines: readonly string[];
  /** Pixels from line to line. */
  readonly advance: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * Pictures [b, h, w, c] under a text, the same on each. Grey ones become RGB; a fourth channel stays. Source: the
 * reference's TextOverlay, whose letters are hinted to whole pixels, which these are not.
 */
export function overlayText(images: NDArray, text: string, style: TextStyle): NDArray {
  const [count, height, width, channels] = images.shape;
  const layer = drawLayer(
    text.replaceAll('\\n', '\n').replaceAll('\\t', '\t'),
    width,
    height,
    style,
  );
  const wide = Math.max(3, channels);
  const out = new Float32Array(count * height * width * wide);
  for (let i = 0; i < count * height * width; i++) {
    const at = (i % (height * width)) * 4;
    const alpha = Math.fround(layer[at + 3] / 255);
    for (let c = 0; c < wide; c++) {
      const was = images.data[i * channels + Math.min(c, channels - 1)];
      const ink = Math.fround(layer[at + c] / 255);
      out[i * wide + c] = c < 3 ? was * Math.fround(1 - alpha) + ink * alpha : was;
    }
  }
  return nd(out, [count, height, width, wide]);
}

function drawLayer(text: string, width: number, height: number, style: TextStyle): Uint8Array {
  const data = new Uint8Array(width * height * 4);
  const margin = roundHalfEven(MARGIN * Math.min(width, height));
  const room = { width: Math.max(1, width - 2 * margin), height: Math.max(1, height - 2 * margin) };
  const { face, stroke, lines, advance, top, bottom } = fit(text, room, height, style);
  const start = style.position === 'bottom' ? height - margin - bottom : margin - top;
  const target = { data, width, height, channels: 4 };
  lines.forEach((line, i) => {
    const lineTop = start + i * advance;
    const ink = face.extent(line, stroke);
    if (!ink || lineTop + ink.top >= height || lineTop + ink.bottom <= 0) return;
    const wide = face.width(line);
    const places = { left: margin, center: (width - wide) / 2, right: width - margin - wide };
    const x = Math.round(places[style.align]);
    const y = lineTop + face.ascender;
    if (stroke > 0) putInk(target, face.coverage(line, stroke), x, y, BLACK);
    putInk(target, face.coverage(line, 0), x, y, style.colour);
  });
  return data;
}

/** The block in the largest size that fits the height, or the least there is. */
function fit(
  text: string,
  room: { width: number; height: number },
  height: number,
  { fontSize, outline }: TextStyle,
): Block {
  let size = Math.max(1, roundHalfEven((fontSize / 100) * height));
  const least = Math.min(size, Math.max(LEAST_PIXELS, roundHalfEven(LEAST_PART * height)));
  for (;;) {
    const block = layOut(text, room.width, size, outline);
    if (block.bottom - block.top <= room.height || size <= least) return block;
    size = Math.max(least, Math.trunc(size * 0.9));
  }
}

function layOut(text: string, width: number, size: number, outline: boolean): Block {
  const face = faceOf(size);
  const stroke = outline ? Math.max(1, roundHalfEven(size * OUTLINE)) : 0;
  const lines = wrap(text, face, width, 'cut');
  const natural = face.ascender + 2 * stroke;
  const advance = natural + roundHalfEven(size * LINE_HEIGHT - natural);
  const extents = lines.flatMap((line, i) => {
    const extent = face.extent(line, stroke);
    return extent ? [{ top: extent.top + i * advance, bottom: extent.bottom + i * advance }] : [];
  });
  const top = extents.reduce((least, extent) => Math.min(least, extent.top), Infinity);
  const bottom = extents.reduce((most, extent) => Math.max(most, extent.bottom), -Infinity);
  const inked = extents.length > 0;
  return { face, stroke, lines, advance, top: inked ? top : 0, bottom: inked ? bottom : 0 };
}
