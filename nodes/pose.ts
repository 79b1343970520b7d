/** People as points: drawn, and their faces found. */
import { NoodleError } from '../engine/errors.ts';
import { boolean, float, inModule, int, nd, socket, zeros } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { faceBoxes, readPose } from '../engine/values/pose.ts';

const define = inModule('comfy_extras.nodes_sdpose', 'v3', { category: 'image/detection' });

/** Pixels that one batch may have. */
const MOST = 2 ** 31;

export const sdposeDrawKeypoints = define({
  name: 'SDPoseDrawKeypoints',
  displayName: 'SDPose Draw Keypoints',
  description: 'Draws people as limbs and points, on black.',
  inputs: {
    keypoints: socket('POSE_KEYPOINT', {}),
    draw_body: boolean({ default: true }),
    draw_hands: boolean({ default: true }),
    draw_face: boolean({ default: true }),
    draw_feet: boolean({ default: false }),
    stick_width: int({ default: 4, min: 1, max: 10, step: 1 }),
    face_point_size: int({ default: 3, min: 1, max: 10, step: 1 }),
    score_threshold: float({ default: 0.3, min: 0, max: 1, step: 0.01 }),
    draw_head: boolean({ default: true }),
  },
  outputs: [{ type: 'IMAGE' }],
  run: async (inputs, context) => {
    const frames = readPose(inputs.keypoints);
    if (frames.length === 0) return [zeros([1, 64, 64, 3])];
    const { drawPose } = await import('../engine/values/pose-drawing.ts');
    const { canvas_width: width, canvas_height: height } = frames[0];
    const size = width * height * 3;
    if (size * frames.length > MOST) {
      const got = `${frames.length} of ${width} x ${height}`;
      throw new NoodleError('BAD_INPUT', { subject: 'keypoints', expected: 'fewer pixels', got });
    }
    const out = new Float32Array(frames.length * size);
    const style = {
      body: inputs.draw_body,
      head: inputs.draw_head,
      hands: inputs.draw_hands,
      face: inputs.draw_face,
      feet: inputs.draw_feet,
      stickWidth: inputs.stick_width,
      facePointSize: inputs.face_point_size,
      threshold: inputs.score_threshold,
    };
    frames.forEach((frame, n) => {
      const { data } = drawPose(frame, { width, height }, style);
      for (let i = 0; i < size; i++) out[n * size + i] = data[i] / 255;
      context.progress(n + 1, frames.length);
    });
    return [nd(out, [frames.length, height, width, 3])];
  },
});

export const sdposeFaceBBoxes = define({
  name: 'SDPoseFaceBBoxes',
  displayName: 'SDPose Face Bounding Boxes',
  description: 'The boxes around the faces of each picture.',
  inputs: {
    keypoints: socket('POSE_KEYPOINT', {}),
    scale: float({ default: 1.5, min: 1, max: 10, step: 0.1 }),
    force_square: boolean({ default: true }),
  },
  outputs: [{ type: 'BOUNDING_BOX', name: 'bboxes' }],
  run: ({ keypoints, scale, force_square: square }) => [
    readPose(keypoints).map((frame) => faceBoxes(frame, scale, square)),
  ],
});

export const poseNodes: readonly NodeDefinition[] = [sdposeDrawKeypoints, sdposeFaceBBoxes];
