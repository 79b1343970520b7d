/** Rectangles that detectors find and people draw. */
import { combo, image, inModule, int, socket } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { framesOfBoxes } from '../engine/values/boxes.ts';
import { cropToBoxes } from '../engine/values/crop-boxes.ts';

const WHOLE_BOX = { x: 0, y: 0, width: 512, height: 512 };
const boxes = () =>
  socket('BOUNDING_BOX', { default: WHOLE_BOX, socketless: true, forceInput: true });

export const cropByBBoxes = inModule(
  'comfy_extras.nodes_sdpose',
  'v3',
)({
  name: 'CropByBBoxes',
  displayName: 'Crop By Bounding Boxes',
  category: 'image/transform',
  description: 'Cuts pictures to what is around their boxes, and brings the cuts to one size.',
  inputs: {
    image: image({}),
    bboxes: boxes(),
    output_width: int({ default: 512, min: 64, max: 4096, step: 8 }),
    output_height: int({ default: 512, min: 64, max: 4096, step: 8 }),
    padding: int({ default: 0, min: 0, max: 1024, step: 1 }),
    keep_aspect: combo(['stretch', 'pad'], { default: 'stretch' }),
  },
  outputs: [{ type: 'IMAGE' }],
  run: ({ image, bboxes, output_width: width, output_height: height, padding, keep_aspect }) => {
    const frames = framesOfBoxes(bboxes);
    if (frames.length === 0) return [image];
    const options = { width, height, padding, keepAspect: keep_aspect === 'pad' };
    return [cropToBoxes(image, frames, options) ?? image];
  },
});

export const boxNodes: readonly NodeDefinition[] = [cropByBBoxes];
