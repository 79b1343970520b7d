/** Rectangles that detectors find and people draw. */
import { isDeepStrictEqual } from 'node:util';
import { NoodleError } from '../engine/errors.ts';
import { combo, image, inModule, int, nd, optional, pythonStr, socket } from '../engine/node.ts';
import { isTruthy, zeros } from '../engine/node.ts';
import type { Image, NodeDefinition } from '../engine/node.ts';
import type { ShownRegion } from '../engine/media/box-drawing.ts';
import { toPixels } from '../engine/media/to-array.ts';
import {
  type Box,
  type Region,
  coloursOf,
  framesOfBoxes,
  readBoxes,
  toElements,
  toFrame,
  toRegions,
} from '../engine/values/boxes.ts';
import { COCO_CLASSES } from '../engine/values/coco-classes.ts';
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

const LARGEST = 16384;

export const drawBBoxes = inModule(
  'comfy_extras.nodes_rtdetr',
  'v3',
)({
  name: 'DrawBBoxes',
  displayName: 'Draw BBoxes',
  category: 'image/detection',
  description: 'Draws boxes on pictures, with the names of what is in them.',
  inputs: { bboxes: boxes(), image: optional(image({})) },
  outputs: [{ type: 'IMAGE', name: 'out_image' }],
  run: async ({ bboxes, image: given }) => {
    const frames = framesOfBoxes(bboxes);
    const images = given ?? emptyPictures(frames);
    const [count, height, width, channels] = images.shape;
    if (channels !== 3 && channels !== 4) {
      const expected = 'pictures of 3 or 4 channels';
      throw new NoodleError('BAD_INPUT', { subject: 'image', expected, got: images.shape });
    }
    const { drawDetections } = await import('../engine/media/box-drawing.ts');
    const out = new Float32Array(images.data.length);
    for (let i = 0; i < count; i++) {
      const { data } = toPixels(images, i);
      const found = (frames.length === 1 ? frames[0] : frames[i]) ?? [];
      drawDetections({ data, width, height, channels }, found.map(detectionOf));
      for (let k = 0; k < data.length; k++) out[i * data.length + k] = data[k] / 255;
    }
    return [nd(out, images.shape)];
  },
});

/** Black, a picture a frame, as large as the boxes need. */
function emptyPictures(frames: readonly (readonly Box[])[]): Image {
  const all = frames.flat();
  const most = (sides: number[]): number =>
    sides.length > 0 ? sides.reduce((a, b) => Math.max(a, b)) : 640;
  const width = most(all.map((box) => Math.trunc(box.x + box.width)));
  const height = most(all.map((box) => Math.trunc(box.y + box.height)));
  if (width < 1 || height < 1 || Math.max(width, height) > LARGEST) {
    const expected = `boxes that end between 1 and ${LARGEST}`;
    throw new NoodleError('BAD_INPUT', {
      subject: 'bboxes',
      expected,
      got: `${width} x ${height}`,
    });
  }
  // One frame is for as many pictures as there are: without any, for one.
  return zeros([1, height, width, 3]);
}

function detectionOf({ x, y, width, height, label, score }: Box) {
  const known = COCO_CLASSES.indexOf(String(label));
  const name = known < 0 ? undefined : COCO_CLASSES[known];
  const sure = typeof score === 'number' ? score : 1;
  return { x, y, width, height, colour: Math.max(0, known), label: name, score: sure };
}

const side = () => int({ default: 1024, min: 64, max: LARGEST, step: 16 });

export const createBoundingBoxes = inModule(
  'comfy_extras.nodes_bounding_boxes',
  'v3',
)({
  name: 'CreateBoundingBoxes',
  displayName: 'Create Bounding Boxes',
  category: 'utilities',
  description: 'Boxes drawn by hand: as elements of a prompt, in pixels, and as a picture.',
  experimental: true,
  outputNode: true,
  inputs: {
    width: side(),
    height: side(),
    editor_state: socket('BOUNDING_BOXES', { default: [], socketless: false }),
    background: optional(image({})),
    bboxes: optional(socket('BOUNDING_BOX,ARRAY,STRING', {})),
    last_incoming: optional(socket('BOUNDING_BOXES', { default: [], socketless: true })),
  },
  hidden: { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' },
  outputs: [
    { type: 'IMAGE', name: 'preview' },
    { type: 'BOUNDING_BOX', name: 'bboxes' },
    { type: 'ARRAY', name: 'elements' },
  ],
  run: async ({ width, height, editor_state, background, bboxes, last_incoming }) => {
    const incoming = readBoxes(bboxes, width, height);
    // What comes in starts the drawing anew; after that what is drawn counts, until something else comes in.
    const applied: unknown = Array.isArray(last_incoming) ? last_incoming : [];
    const anew = incoming.length > 0 && !isDeepStrictEqual(incoming, applied);
    const regions = toRegions(anew ? incoming : editor_state, width, height);
    const { drawRegions } = await import('../engine/media/box-drawing.ts');
    const below = background && rgbOf(background);
    const drawn = drawRegions(regions.map(shownOf), below ?? { width, height }, below);
    const data = Float32Array.from(drawn.data, (v) => v / 255);
    const preview = nd(data, [1, drawn.height, drawn.width, 3]);
    const result = [preview, toFrame(regions, width, height), toElements(regions)];
    const dims = { dims: [width, height] };
    return { result, ui: incoming.length > 0 ? { ...dims, input_bboxes: incoming } : dims };
  },
});

/** The first picture of a batch as RGB bytes; none for grey ones. */
function rgbOf(images: Image) {
  const { data, width, height, channels } = toPixels(images, 0);
  if (channels < 3) return undefined;
  const rgb = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => data[Math.floor(i / 3) * channels + (i % 3)],
  );
  return { data: rgb, width, height, channels: 3 };
}

function shownOf({ x, y, w, h, type, text, desc, palette }: Region): ShownRegion {
  const about = isTruthy(desc) ? pythonStr(desc) : '';
  const quoted = `"${pythonStr(text)}"${about === '' ? '' : ` — ${about}`}`;
  const words = type === 'text' && isTruthy(text) ? quoted : about;
  return { x, y, w, h, words, palette: coloursOf(palette) };
}

export const boxNodes: readonly NodeDefinition[] = [cropByBBoxes, drawBBoxes, createBoundingBoxes];
