/** Where a moving camera looks: a ray for every pixel of every frame, as video models are told. */
import { NoodleError } from '../errors.ts';
import { type NDArray, zeros } from '../array/nd.ts';

/** How far a camera moves in one film at speed 1, in its own units, and how it turns about its axis. */
export interface CameraMotion {
  readonly shift: readonly [x: number, y: number, z: number];
  /** -1, 0 or 1: which way round. */
  readonly turn: number;
}

/** Lens and middle of the picture, in shares of its sides. */
export interface CameraLens {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

const DISTANCE = 1.5;
const ANGLE = Math.PI / 3;
/** Of the pictures that the lens is told for. */
const RATIO = 1280 / 720;
/** Frames that one frame of the latent stands for. */
const GROUP = 4;
/** Of a ray: moment and direction. */
const PARTS = 6;

interface Film {
  readonly width: number;
  readonly height: number;
  readonly length: number;
  readonly speed: number;
}

/**
 * Plücker coordinates (o × d, d) of the rays through the pixels of each frame (Sitzmann et al. 2021; CameraCtrl,
 * He et al. 2024): [1, 24, (length + 3) / 4, height, width], the four frames of a group being channels beside
 * each other; the first frame is a group of its own. `onFrame` is told of each. Throws BAD_INPUT unless
 * `length` is 4n + 1.
 */
export function cameraRays(
  motion: CameraMotion,
  lens: CameraLens,
  { width, height, length, speed }: Film,
  onFrame: (done: number) => void,
): NDArray {
  if ((length - 1) % GROUP !== 0) {
    throw new NoodleError('BAD_INPUT', { subject: 'length', expected: '4n + 1', got: length });
  }
  const looks = directions(lens, width, height);
  const groups = (length + GROUP - 1) / GROUP;
  const size = width * height;
  const out = zeros([1, PARTS * GROUP, groups, height, width]);
  const planeOf = (part: number, place: number): Float32Array => {
    const channel = part * GROUP + (place % GROUP);
    const start = (channel * groups + Math.floor(place / GROUP)) * size;
    return out.data.subarray(start, start + size);
  };
  for (let frame = 0; frame < length; frame++) {
    onFrame(frame);
    const share = (frame / length) * speed;
    const [x, y, z] = motion.shift.map((v) => Math.fround(share * DISTANCE * v));
    const angle = share * ANGLE * motion.turn;
    const [cos, sin] = [Math.fround(Math.cos(angle)), Math.fround(Math.sin(angle))];
    // The first frame fills its whole group.
    const places = frame === 0 ? [0, 1, 2, 3] : [frame + GROUP - 1];
    const planes = Array.from({ length: PARTS }, (_, part) => planeOf(part, places[0]));
    for (let i = 0; i < size; i++) {
      const [lookX, lookY, dz] = [looks[3 * i], looks[3 * i + 1], looks[3 * i + 2]];
      const dx = cos * lookX - sin * lookY;
      const dy = sin * lookX + cos * lookY;
      planes[0][i] = y * dz - z * dy;
      planes[1][i] = z * dx - x * dz;
      planes[2][i] = x * dy - y * dx;
      planes[3][i] = dx;
      planes[4][i] = dy;
      planes[5][i] = dz;
    }
    for (const place of places.slice(1)) {
      planes.forEach((plane, part) => planeOf(part, place).set(plane));
    }
  }
  return out;
}

/** Unit vectors from a camera at rest through the middles of its pixels: x, y, z of each. */
function directions({ fx, fy, cx, cy }: CameraLens, width: number, height: number): Float64Array {
  const isWider = RATIO > width / height;
  const focalX = (isWider ? (height * RATIO * fx) / width : fx) * width;
  const focalY = (isWider ? fy : ((width / RATIO) * fy) / height) * height;
  const out = new Float64Array(width * height * 3);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 3) {
      const x = (column + 0.5 - cx * width) / focalX;
      const y = (row + 0.5 - cy * height) / focalY;
      const norm = Math.hypot(x, y, 1);
      out[to] = x / norm;
      out[to + 1] = y / norm;
      out[to + 2] = 1 / norm;
    }
  }
  return out;
}
