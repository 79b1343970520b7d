/** BOUNDING_BOX, and the other things that people draw boxes with: elements of prompts, the editor's regions. */
import { roundHalfEven } from '../array/round.ts';
import { NoodleError } from '../errors.ts';

type Members = Readonly<Record<string, unknown>>;

/** A rectangle in pixels, and what the makers of boxes say about it. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly metadata?: Members;
  /** Of detectors: the class of the thing, and how sure they are of it (0..1). */
  readonly label?: unknown;
  readonly score?: unknown;
}

/** A box of the editor: a rectangle in parts of the canvas, and what is to be in it. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  /** 'text', or anything else for a thing. */
  readonly type: unknown;
  readonly text: unknown;
  readonly desc: unknown;
  readonly palette: unknown;
}

/** What Ideogram's prompts hold of a region. */
export interface Element {
  readonly type: 'text' | 'obj';
  /** ymin, xmin, ymax, xmax in thousandths. */
  readonly bbox: readonly number[];
  readonly text?: unknown;
  readonly desc: unknown;
  readonly color_palette?: readonly string[];
}

/** Whether a value holds members by name, as Python's dicts do. */
export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * BOUNDING_BOX as one list of boxes a frame: a box is one frame with one box, a list of boxes one frame.
 * Throws BAD_INPUT for anything that is no box.
 */
export function framesOfBoxes(given: unknown): readonly (readonly Box[])[] {
  if (!Array.isArray(given)) return [[checkBox(given)]];
  if (given.length === 0) return [];
  const frames: readonly unknown[] = Array.isArray(given[0]) ? given : [given];
  return frames.map((frame) => (Array.isArray(frame) ? frame : []).map(checkBox));
}

function checkBox(given: unknown): Box {
  const sides = isMembers(given) ? [given.x, given.y, given.width, given.height] : [];
  if (sides.length > 0 && sides.every((side) => Number.isFinite(side))) {
    return given as Box;
  }
  return refuse('boxes with x, y, width and height', given);
}

function refuse(expected: string, got: unknown): never {
  throw new NoodleError('BAD_INPUT', { subject: 'bboxes', expected, got });
}

/**
 * The boxes that are meant by boxes, elements, lists of them (of lists of boxes the first), or any of these as
 * JSON; none of nothing. `width` and `height` are what the thousandths of elements are parts of. Throws BAD_INPUT.
 */
export function readBoxes(given: unknown, width: number, height: number): Box[] {
  const data = typeof given === 'string' ? parsed(given) : given;
  if (data === undefined || data === null) return [];
  const list: readonly unknown[] = Array.isArray(data) ? data : [data];
  if (list.length === 0) return [];
  const [first] = list;
  if (Array.isArray(first)) return plainBoxes(first);
  if (isElement(first) && !(width > 0 && height > 0)) {
    refuse('a canvas_width and a canvas_height that elements are parts of', `${width} x ${height}`);
  }
  if (isElement(first)) return list.filter(isMembers).map((e) => boxOfElement(e, width, height));
  if (isMembers(first) && ['x', 'y', 'width', 'height'].every((key) => key in first)) {
    return plainBoxes(list);
  }
  return refuse("boxes (x, y, width, height), elements (with a 'bbox'), or JSON of them", data);
}

function parsed(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return refuse('JSON', text.slice(0, 100));
  }
}

const isElement = (given: unknown): given is Members & { bbox: readonly unknown[] } =>
  isMembers(given) && Array.isArray(given.bbox) && given.bbox.length === 4;

const side = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0;

function plainBoxes(list: readonly unknown[]): Box[] {
  return list.filter(isMembers).map((box) => {
    const sides = {
      x: side(box.x),
      y: side(box.y),
      width: side(box.width),
      height: side(box.height),
    };
    return isMembers(box.metadata) ? { ...sides, metadata: box.metadata } : sides;
  });
}

function boxOfElement(element: Members, width: number, height: number): Box {
  if (!isElement(element) || !element.bbox.every((v) => Number.isFinite(Number(v ?? NaN)))) {
    return refuse("elements with a 'bbox' [ymin, xmin, ymax, xmax] of four numbers", element);
  }
  const [top, left, bottom, right] = element.bbox.map((v) => Number(v) / 1000);
  const type = element.type === 'text' ? 'text' : 'obj';
  return {
    x: roundHalfEven(Math.min(left, right) * width),
    y: roundHalfEven(Math.min(top, bottom) * height),
    width: roundHalfEven(Math.abs(right - left) * width),
    height: roundHalfEven(Math.abs(bottom - top) * height),
    metadata: {
      type,
      text: type === 'text' ? (element.text ?? '') : '',
      desc: element.desc ?? '',
      palette: element.color_palette ?? [],
    },
  };
}

/** Boxes as regions of a canvas of `width` × `height` pixels. */
export function toRegions(boxes: unknown, width: number, height: number): Region[] {
  if (!Array.isArray(boxes)) return [];
  return boxes.filter(isMembers).map((box) => {
    const about = isMembers(box.metadata) ? box.metadata : {};
    return {
      x: side(box.x) / (width || 1),
      y: side(box.y) / (height || 1),
      w: side(box.width) / (width || 1),
      h: side(box.height) / (height || 1),
      type: about.type ?? 'obj',
      text: about.text ?? '',
      desc: about.desc ?? '',
      palette: about.palette ?? [],
    };
  });
}

/** Regions as the boxes of one frame, in whole pixels and with positive sides; no frame where there are none. */
export function toFrame(regions: readonly Region[], width: number, height: number): Box[][] {
  const boxes = regions.map(({ x, y, w, h }) => ({
    x: roundHalfEven(Math.min(x, x + w) * width),
    y: roundHalfEven(Math.min(y, y + h) * height),
    width: roundHalfEven(Math.abs(w) * width),
    height: roundHalfEven(Math.abs(h) * height),
  }));
  return boxes.length > 0 ? [boxes] : [];
}

/** Regions as elements of a prompt; of a palette the first five colours. */
export function toElements(regions: readonly Region[]): Element[] {
  return regions.map((region) => {
    const type = region.type === 'text' ? 'text' : 'obj';
    const palette = coloursOf(region.palette).map((colour) => colour.toUpperCase());
    const head = { type, bbox: thousandths(region) } as const;
    const { text, desc } = region;
    const element = type === 'text' ? { ...head, text, desc } : { ...head, desc };
    return palette.length > 0 ? { ...element, color_palette: palette.slice(0, 5) } : element;
  });
}

/** The colours of a palette, which may be a list or have names. */
export function coloursOf(palette: unknown): string[] {
  const all: readonly unknown[] = isMembers(palette)
    ? Object.values(palette)
    : Array.isArray(palette)
      ? palette
      : [];
  return all.filter((colour): colour is string => typeof colour === 'string' && colour !== '');
}

function thousandths({ x, y, w, h }: Region): number[] {
  const grid = (v: number): number => Math.max(0, Math.min(1000, roundHalfEven(v * 1000)));
  const [top, left, bottom, right] = [y, x, y + h, x + w].map(grid);
  const [low, high] = [Math.min, Math.max];
  return [low(top, bottom), low(left, right), high(top, bottom), high(left, right)];
}
