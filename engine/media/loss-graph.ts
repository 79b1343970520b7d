/** The loss of a training, step by step, as a picture. */
import { fillLine } from '../array/shapes.ts';
import type { Point } from '../array/shapes.ts';
import { type NDArray, nd } from '../array/nd.ts';
import { faceOf, putInk } from './font/text.ts';

const [WIDTH, HEIGHT, MARGIN] = [800, 480, 40];
const LETTERS = 12;
const LINE = 1;
const [BLACK, BLUE] = [
  [0, 0, 0],
  [0, 0, 255],
];

/** A curve over its axes [1, 520, 840, 3], the least and the greatest of the losses beside it; they are finite. */
export function drawLosses(losses: readonly number[]): NDArray {
  const size = { width: WIDTH + MARGIN, height: HEIGHT + MARGIN, channels: 3 };
  const data = new Uint8Array(size.width * size.height * size.channels).fill(255);
  const canvas = { data, ...size };
  const [least, most] = losses.reduce(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [Infinity, -Infinity],
  );
  const points = losses.map((v, i): Point => {
    const share = most > least ? (v - least) / (most - least) : 0;
    return [MARGIN + Math.trunc((i / losses.length) * WIDTH), HEIGHT - Math.trunc(share * HEIGHT)];
  });
  points.slice(1).forEach((to, i) => fillLine(canvas, points[i], to, LINE, BLUE));
  fillLine(canvas, [MARGIN, 0], [MARGIN, HEIGHT], LINE, BLACK);
  fillLine(canvas, [MARGIN, HEIGHT], [WIDTH + MARGIN, HEIGHT], LINE, BLACK);
  const face = faceOf(LETTERS);
  const write = (text: string, x: number, top: number): void =>
    putInk(canvas, face.coverage(text, 0), x, top + face.ascender, BLACK);
  write('Loss', 5, HEIGHT / 2);
  write('Steps', WIDTH / 2, HEIGHT + 10);
  write(most.toFixed(2), MARGIN - 30, 0);
  write(least.toFixed(2), MARGIN - 30, HEIGHT - 10);
  return nd(
    Float32Array.from(data, (v) => v / 255),
    [1, size.height, size.width, 3],
  );
}
