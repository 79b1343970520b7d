/** Movements of a camera for video models. */
import { NoodleError } from '../engine/errors.ts';
import { combo, float, inModule, int, optional } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import type { CameraMotion } from '../engine/values/camera-rays.ts';

const still = (x: number, y: number, z: number): CameraMotion => ({ shift: [x, y, z], turn: 0 });
const turning = (turn: number): CameraMotion => ({ shift: [0, 0, 0], turn });

const MOTIONS = {
  Static: still(0, 0, 0),
  'Pan Up': still(0, -1, 0),
  'Pan Down': still(0, 1, 0),
  'Pan Left': still(-1, 0, 0),
  'Pan Right': still(1, 0, 0),
  'Zoom In': still(0, 0, 2),
  'Zoom Out': still(0, 0, -2),
  'Anti Clockwise (ACW)': turning(-1),
  'ClockWise (CW)': turning(1),
} as const satisfies Readonly<Record<string, CameraMotion>>;

const POSES = Object.keys(MOTIONS) as (keyof typeof MOTIONS)[];
const side = (value: number) => int({ default: value, min: 16, max: 16384, step: 16 });
const share = (step: number) => optional(float({ default: 0.5, min: 0n, max: 1n, step }));

export const wanCameraEmbedding = inModule(
  'comfy_extras.nodes_camera_trajectory',
  'v3',
)({
  name: 'WanCameraEmbedding',
  category: 'camera',
  description: 'Where the pixels of each frame look while a camera moves.',
  inputs: {
    camera_pose: combo(POSES, { default: 'Static', multiselect: false }),
    width: side(832),
    height: side(480),
    length: int({ default: 81, min: 1, max: 16384, step: 4 }),
    speed: optional(float({ default: 1, min: 0n, max: 10, step: 0.1 })),
    fx: share(1e-9),
    fy: share(1e-9),
    cx: share(0.01),
    cy: share(0.01),
  },
  outputs: [
    { type: 'WAN_CAMERA_EMBEDDING', name: 'camera_embedding' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'INT', name: 'length' },
  ],
  async run({ camera_pose, width, height, length, speed = 1, ...lens }, context) {
    const { fx = 0.5, fy = 0.5, cx = 0.5, cy = 0.5 } = lens;
    if (fx === 0 || fy === 0) {
      throw new NoodleError('BAD_INPUT', { subject: 'fx, fy', expected: 'above 0', got: [fx, fy] });
    }
    const { cameraRays } = await import('../engine/values/camera-rays.ts');
    const film = { width, height, length, speed };
    const rays = cameraRays(MOTIONS[camera_pose], { fx, fy, cx, cy }, film, (frame) =>
      context.progress(frame, length),
    );
    return [rays, width, height, length];
  },
});

export const cameraNodes: readonly NodeDefinition[] = [wanCameraEmbedding];
