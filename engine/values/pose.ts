/** POSE_KEYPOINT: people as points, in OpenPose's form; and the boxes around their faces. */
import { NoodleError } from '../errors.ts';
import type { Box } from './boxes.ts';
import { isMembers } from './boxes.ts';

/** Points of one kind, of each x and y in pixels and how sure the detector was: x, y, score, x, … */
export type Points = readonly number[];

export interface Person {
  readonly pose_keypoints_2d: Points;
  readonly foot_keypoints_2d?: Points | null;
  readonly face_keypoints_2d?: Points | null;
  readonly hand_right_keypoints_2d: Points;
  readonly hand_left_keypoints_2d: Points;
}

export interface PoseFrame {
  readonly canvas_width: number;
  readonly canvas_height: number;
  readonly people: readonly Person[];
}

const LARGEST = 16384;

/** A POSE_KEYPOINT from a wire: one entry a picture. Throws BAD_INPUT when it is none. */
export function readPose(given: unknown): readonly PoseFrame[] {
  const isSide = (v: unknown): boolean =>
    Number.isInteger(v) && (v as number) > 0 && (v as number) <= LARGEST;
  const fits = (frame: unknown): boolean =>
    isMembers(frame) &&
    isSide(frame.canvas_width) &&
    isSide(frame.canvas_height) &&
    Array.isArray(frame.people) &&
    frame.people.every(isMembers);
  if (Array.isArray(given) && given.every(fits)) return given as PoseFrame[];
  const expected = `frames with people and a canvas of 1 to ${LARGEST} pixels a side`;
  throw new NoodleError('BAD_INPUT', { subject: 'keypoints', expected, got: given });
}

/** `count` points as fp32 numbers, three a point. Throws BAD_INPUT for other lists. */
export function readPoints(given: unknown, count: number, name: string): Float32Array {
  if (Array.isArray(given) && given.length === count * 3 && given.every(Number.isFinite)) {
    const points = Float32Array.from(given as number[]);
    if (points.every(Number.isFinite)) return points; // 1e39 is none
  }
  const expected = `${count} points of x, y and score`;
  throw new NoodleError('BAD_INPUT', { subject: name, expected, got: given });
}

/**
 * The boxes around the faces of a frame in whole pixels, their area `scale` times what the points span and more
 * of it above than below; `square` makes both sides the longer one. People without a face have none.
 */
export function faceBoxes(frame: PoseFrame, scale: number, square: boolean): Box[] {
  const { canvas_width: w, canvas_height: h, people } = frame;
  return people.flatMap(({ face_keypoints_2d: face }) => {
    if (!face || face.length === 0) return [];
    const points = readPoints(face, Math.floor(face.length / 3), 'face_keypoints_2d');
    const span = widened(points, scale, w, h);
    if (span.x2 <= span.x1 || span.y2 <= span.y1) return [];
    const { x1, x2, y1, y2 } = square ? squared(span, w, h) : span;
    return [{ x: x1, y: y1, width: x2 - x1, height: y2 - y1 }];
  });
}

interface Span {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
}

function widened(points: Float32Array, scale: number, w: number, h: number): Span {
  // The reference goes through parts of the canvas in fp32.
  const along = (offset: number, size: number): { low: number; high: number; length: number } => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = offset; i < points.length; i += 3) {
      const v = Math.fround(points[i] / size) * size;
      [low, high] = [Math.min(low, v), Math.max(high, v)];
    }
    return { low, high, length: high - low };
  };
  const [x, y] = [along(0, w), along(1, h)];
  if (!(x.length > 0 && y.length > 0)) return { x1: 0, x2: 0, y1: 0, y2: 0 };
  const area = x.length * y.length * scale;
  const dx = (Math.sqrt(area * (x.length / y.length)) - x.length) / 2;
  const dy = (Math.sqrt(area * (y.length / x.length)) - y.length) / 4;
  return {
    x1: Math.trunc(Math.max(x.low - dx, 0)),
    x2: Math.trunc(Math.min(x.high + dx, w)),
    y1: Math.trunc(Math.max(y.low - 3 * dy, 0)),
    y2: Math.trunc(Math.min(y.high + dy, h)),
  };
}

/** Both sides the longer one around the same middle, moved inside where they would leave the canvas. */
function squared({ x1, x2, y1, y2 }: Span, w: number, h: number): Span {
  const side = Math.max(x2 - x1, y2 - y1);
  if (x2 - x1 === y2 - y1) return { x1, x2, y1, y2 };
  const place = (low: number, high: number, size: number): [number, number] => {
    const start = Math.max(0, Math.floor((low + high) / 2) - Math.floor(side / 2));
    const end = Math.min(size, start + side);
    return [Math.max(0, end - side), end];
  };
  const [[left, right], [top, bottom]] = [place(x1, x2, w), place(y1, y2, h)];
  return { x1: left, x2: right, y1: top, y2: bottom };
}
