/** A rectangle of whole pixels: left and top inside, right and bottom outside. */
export interface Area {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Pixels that are painted: one byte each (the mask) or four, RGBA with straight alpha (paint). */
export interface Layer {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 4;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** An empty layer as large as a picture. */
export const createLayer = (width: number, height: number, channels: 1 | 4): Layer => ({
  width,
  height,
  channels,
  data: new Uint8ClampedArray(width * height * channels),
});

/** The whole of a layer. */
export const wholeOf = ({ width, height }: Pick<Layer, 'width' | 'height'>): Area => ({
  x0: 0,
  y0: 0,
  x1: width,
  y1: height,
});

/** What two areas share; empty (x1 <= x0 or y1 <= y0) when they do not meet. */
export const overlap = (a: Area, b: Area): Area => ({
  x0: Math.max(a.x0, b.x0),
  y0: Math.max(a.y0, b.y0),
  x1: Math.min(a.x1, b.x1),
  y1: Math.min(a.y1, b.y1),
});

export const isEmpty = ({ x0, y0, x1, y1 }: Area): boolean => x1 <= x0 || y1 <= y0;
