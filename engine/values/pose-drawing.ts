/** People drawn as ControlNets know them: DWPose's limbs and points in their colours, on black. */
import { type Canvas, type Colour, type Point, ellipsePoints } from '../array/shapes.ts';
import { fillCircle, fillLine, fillPolygon } from '../array/shapes.ts';
import { type Person, type PoseFrame, readPoints } from './pose.ts';

export interface PoseStyle {
  readonly body: boolean;
  readonly head: boolean;
  readonly hands: boolean;
  readonly face: boolean;
  readonly feet: boolean;
  /** Half the thickness of a limb, and the radius of a point of the face, in pixels. */
  readonly stickWidth: number;
  readonly facePointSize: number;
  /** Points of a lower score are left out. */
  readonly threshold: number;
}

/** Pairs of body points: twelve limbs, then five lines of the head; each has the colour of its number. */
const LIMBS: readonly Point[] = (
  '1-2 1-5 2-3 3-4 5-6 6-7 1-8 8-9 9-10 1-11 11-12 12-13 ' + '1-0 0-14 14-16 0-15 15-17'
)
  .split(' ')
  .map((pair) => pair.split('-').map(Number) as unknown as Point);
const BODY_LIMBS = 12;
const NECK = 1;
const HEAD_POINTS = new Set([0, 14, 15, 16, 17]);

/** A hand is a wrist and five fingers of four points. */
const FINGERS: readonly Point[] = [0, 1, 2, 3, 4].flatMap((finger) => {
  const first = 4 * finger + 1;
  return [0, 1, 2, 3].map((i): Point => [i === 0 ? 0 : first + i - 1, first + i]);
});

/** The rainbow in 18 steps of 85, without its last one. */
const COLOURS: readonly Colour[] = [
  ...[
    [255, 0, 0],
    [255, 85, 0],
    [255, 170, 0],
    [255, 255, 0],
    [170, 255, 0],
    [85, 255, 0],
  ],
  ...[
    [0, 255, 0],
    [0, 255, 85],
    [0, 255, 170],
    [0, 255, 255],
    [0, 170, 255],
    [0, 85, 255],
  ],
  ...[
    [0, 0, 255],
    [85, 0, 255],
    [170, 0, 255],
    [255, 0, 255],
    [255, 0, 170],
    [255, 0, 85],
  ],
];
const [BLUE, WHITE]: Colour[] = [
  [0, 0, 255],
  [255, 255, 255],
];
const POINT_RADIUS = 4;
/** Half of a finger's two pixels, and a half. */
const FINGER_RADIUS = 1.5;

/** The people of a frame as bytes [h, w, 3]; `frame` says nothing of the size, so that all frames are one batch. */
export function drawPose(
  frame: PoseFrame,
  size: { readonly width: number; readonly height: number },
  style: PoseStyle,
): Canvas {
  const canvas = { ...size, channels: 3, data: new Uint8Array(size.width * size.height * 3) };
  for (const person of frame.people) drawPerson(canvas, person, style);
  return canvas;
}

function drawPerson(canvas: Canvas, person: Person, style: PoseStyle): void {
  const of = (given: unknown, count: number, name: string): PointSet =>
    pointSet(readPoints(given, count, name), canvas, style.threshold);
  const body = of(person.pose_keypoints_2d, 18, 'pose_keypoints_2d');
  const foot = person.foot_keypoints_2d;
  const feet = of(foot?.length ? foot : Array<number>(18).fill(0), 6, 'foot_keypoints_2d');
  const face = of(person.face_keypoints_2d, 70, 'face_keypoints_2d');
  const hands = [
    of(person.hand_right_keypoints_2d, 21, 'hand_right_keypoints_2d'),
    of(person.hand_left_keypoints_2d, 21, 'hand_left_keypoints_2d'),
  ];
  drawBody(canvas, body, style);
  if (style.feet) {
    for (let i = 0; i < 6; i++) {
      if (feet.seen(i)) fillCircle(canvas, feet.at(i), POINT_RADIUS, COLOURS[i]);
    }
  }
  if (style.hands) for (const hand of hands) drawHand(canvas, hand);
  // The last two points of a face are the eyes, which the head has too.
  if (style.face) {
    for (let i = 0; i < 68; i++) {
      if (face.seen(i) && hasPlace(face.at(i))) {
        fillCircle(canvas, face.at(i), style.facePointSize, WHITE);
      }
    }
  }
}

interface PointSet {
  /** In whole pixels. */
  at(i: number): Point;
  exact(i: number): Point;
  sure(i: number): boolean;
  /** Sure, and on the canvas. */
  seen(i: number): boolean;
}

function pointSet(points: Float32Array, { width, height }: Canvas, threshold: number): PointSet {
  const least = Math.fround(threshold);
  const at = (i: number): Point => [Math.trunc(points[i * 3]), Math.trunc(points[i * 3 + 1])];
  const sure = (i: number): boolean => points[i * 3 + 2] >= least;
  const inside = ([x, y]: Point): boolean => x >= 0 && x < width && y >= 0 && y < height;
  return {
    at,
    exact: (i) => [points[i * 3], points[i * 3 + 1]],
    sure,
    seen: (i) => sure(i) && inside(at(i)),
  };
}

/** Hands and faces without a place lie in the corner; they are not drawn. */
const hasPlace = ([x, y]: Point): boolean => x > 0 && y > 0;

function drawBody(
  canvas: Canvas,
  body: PointSet,
  { body: limbs, head, stickWidth }: PoseStyle,
): void {
  LIMBS.forEach(([from, to], i) => {
    if (i < BODY_LIMBS ? !limbs : !head) return;
    if (body.sure(from) && body.sure(to)) {
      drawLimb(canvas, body.exact(from), body.exact(to), stickWidth, COLOURS[i]);
    }
  });
  for (let i = 0; i < 18; i++) {
    const drawn = HEAD_POINTS.has(i) ? head : limbs || (head && i === NECK);
    if (drawn && body.seen(i)) fillCircle(canvas, body.at(i), POINT_RADIUS, COLOURS[i]);
  }
}

/** An ellipse along the limb; computed in fp32 as the reference does, since its sides are cut to whole pixels. */
function drawLimb(canvas: Canvas, [x0, y0]: Point, [x1, y1]: Point, half: number, c: Colour): void {
  const f = Math.fround;
  const [dx, dy] = [f(x0 - x1), f(y0 - y1)];
  const length = Math.sqrt(f(f(dy * dy) + f(dx * dx)));
  if (length < 1) return;
  const middle: Point = [Math.trunc(f(f(x0 + x1) / 2)), Math.trunc(f(f(y0 + y1) / 2))];
  const angle = Math.trunc((Math.atan2(dy, dx) * 180) / Math.PI);
  const points = ellipsePoints(middle, [Math.trunc(length / 2), half], angle);
  fillPolygon(canvas, points, c);
}

function drawHand(canvas: Canvas, hand: PointSet): void {
  const seen = (i: number): boolean => hand.seen(i) && hasPlace(hand.at(i));
  FINGERS.forEach(([from, to], i) => {
    if (seen(from) && seen(to)) {
      fillLine(canvas, hand.at(from), hand.at(to), FINGER_RADIUS, rainbow(i / FINGERS.length));
    }
  });
  for (let i = 0; i < 21; i++) {
    if (seen(i)) fillCircle(canvas, hand.at(i), POINT_RADIUS, BLUE);
  }
}

/** A full colour of hue 0..1, as bytes. */
function rainbow(hue: number): Colour {
  const sector = Math.trunc(hue * 6);
  const part = hue * 6 - sector;
  const [up, down] = [1 - (1 - part), 1 - part];
  const row = [
    [1, up, 0],
    [down, 1, 0],
    [0, 1, up],
    [0, down, 1],
    [up, 0, 1],
    [1, 0, down],
  ][sector % 6];
  return row.map((v) => Math.trunc(v * 255));
}
