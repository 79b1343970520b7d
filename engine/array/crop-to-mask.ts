/** Pictures cut to what a mask covers: ComfyUI's ImageCropToMask. */
import { growMask } from './morphology.ts';
import { type NDArray, nd, reshape } from './nd.ts';
import { upscaleImage } from './resize.ts';
import { clamp, toByte } from './round.ts';

export interface CropToMaskOptions {
  /** Size of the result. */
  readonly width: number;
  readonly height: number;
  /** The box around the mask times this. */
  readonly padding: number;
  /** Pixels that the mask grows (or, below 0, shrinks) first. */
  readonly grow: number;
  /** Colour behind what is covered, 0..1. */
  readonly background: readonly number[];
}

/** Weaker coverage counts as none. */
const THRESHOLD = Math.fround(0.05);
/** 8-bit coverage above which a pixel belongs to the box. */
const SOLID = 204;

/**
 * One picture [1, h, w, 3] and its mask [1, h, w]: the mask's box, widened to the aspect ratio of the result
 * and with black around the picture where it reaches beyond, laid on the background and scaled (lanczos,
 * 8 bits). A mask that covers the border and not the middle is taken for an inverted one.
 */
export function cropToMask(image: NDArray, mask: NDArray, options: CropToMaskOptions): NDArray {
  const { width, height, grow } = options;
  let picture = nd(image.data.map(unit), image.shape);
  let cover = nd(mask.data.map(unit), mask.shape);
  if (isInverted(cover)) cover = inverted(cover);
  cover = growMask(cover, grow, false);
  cover = nd(
    cover.data.map((v) => (v < THRESHOLD ? 0 : v)),
    cover.shape,
  );
  const [, h, w] = image.shape;
  const largest = Math.max(width, height);
  if (Math.max(h, w) > largest) {
    const scale = largest / Math.max(h, w);
    const [toW, toH] = [Math.trunc(w * scale), Math.trunc(h * scale)];
    picture = upscaleImage(picture, toW, toH, 'lanczos', 'disabled');
    const plane = reshape(cover, [1, h, w, 1]);
    cover = reshape(upscaleImage(plane, toW, toH, 'lanczos', 'disabled'), [1, toH, toW]);
  }
  let box = solidBox(cover, (byte) => byte);
  if (box === undefined) {
    box = solidBox(cover, (byte) => 255 - byte);
    if (box !== undefined) cover = inverted(cover);
  }
  const cut = laidOn(picture, cover, widened(box, cover, options), options.background);
  return upscaleImage(cut, width, height, 'lanczos', 'disabled');
}

const unit = (v: number): number => clamp(v, 0, 1);

const inverted = (mask: NDArray): NDArray =>
  nd(
    mask.data.map((v) => 1 - v),
    mask.shape,
  );

/** Covered along the border and bare in the middle. */
function isInverted({ data, shape }: NDArray): boolean {
  const [, h, w] = shape;
  const border: number[] = [];
  for (let x = 0; x < w; x++) border.push(data[x], data[(h - 1) * w + x]);
  for (let y = 0; y < h; y++) border.push(data[y * w], data[y * w + w - 1]);
  let [sum, count] = [0, 0];
  for (let y = Math.floor(h / 4); y < h - Math.floor(h / 4); y++) {
    for (let x = Math.floor(w / 4); x < w - Math.floor(w / 4); x++, count++) sum += data[y * w + x];
  }
  return border.reduce((a, b) => a + b, 0) / border.length > 0.5 && sum / count < 0.5;
}

/** Edges of a box; right and bottom are the last columns and rows inside. */
interface Edges {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function solidBox({ data, shape }: NDArray, seen: (byte: number) => number): Edges | undefined {
  const [, h, w] = shape;
  let [left, top, right, bottom] = [w, h, -1, -1];
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      if (seen(toByte(data[y * w + x])) <= SOLID) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  return right < 0 ? undefined : { left, top, right, bottom };
}

/** The box grown to the aspect ratio about its centre, and padded; all of the picture without a box. */
function widened(
  box: Edges | undefined,
  { shape: [, h, w] }: NDArray,
  { width, height, padding }: CropToMaskOptions,
): Edges {
  if (box === undefined) return { left: 0, top: 0, right: w - 1, bottom: h - 1 };
  const aspect = width / height;
  const [bw, bh] = [box.right - box.left + 1, box.bottom - box.top + 1];
  const isWide = bw / bh >= aspect;
  const cropW = Math.trunc(isWide ? bw * padding : bh * aspect * padding);
  const cropH = Math.trunc(isWide ? (bw / aspect) * padding : bh * padding);
  const [halfW, halfH] = [Math.ceil(cropW / 2), Math.ceil(cropH / 2)];
  const left = Math.trunc((box.left + box.right) / 2 - halfW);
  const top = Math.trunc((box.top + box.bottom) / 2 - halfH);
  return { left, top, right: left + 2 * halfW - 1, bottom: top + 2 * halfH - 1 };
}

function laidOn(
  picture: NDArray,
  mask: NDArray,
  { left, top, right, bottom }: Edges,
  background: readonly number[],
): NDArray {
  const [, h, w, channels] = picture.shape;
  const [width, height] = [right - left + 1, bottom - top + 1];
  const out = new Float32Array(height * width * channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += channels) {
      const inside = top + y >= 0 && top + y < h && left + x >= 0 && left + x < w;
      const from = (top + y) * w + left + x;
      const cover = inside ? mask.data[from] : 0;
      for (let k = 0; k < channels; k++) {
        const colour = inside ? picture.data[from * channels + k] : 0;
        const behind = Math.fround(Math.fround(background[k]) * Math.fround(1 - cover));
        out[to + k] = unit(Math.fround(colour * cover) + behind);
      }
    }
  }
  return nd(out, [1, height, width, channels]);
}
