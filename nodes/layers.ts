/** Pictures stacked as layers, and put together. */
import {
  boolean,
  combo,
  float,
  image,
  inModule,
  int,
  mask,
  optional,
  socket,
  string,
  zeros,
} from '../engine/node.ts';
import type { Image, Mask, NodeDefinition } from '../engine/node.ts';
import { LAYER_MODES } from '../engine/array/layer-blend.ts';
import { cropImage, cropPlanes } from '../engine/array/rectangle.ts';
import { rows } from '../engine/array/batch.ts';
import { isMembers, readBoxes } from '../engine/values/boxes.ts';
import {
  type Layer,
  type LayerItem,
  type Layers,
  canvasOf,
  expandLayers,
  fingerprint,
  itemsOf,
  layersOf,
  maskOf,
  whole,
} from '../engine/values/layers.ts';
import { previewPictures, workflowInputs } from './image-io.ts';

const define = inModule('comfy_extras.nodes_compositor', 'v3', {
  category: 'image',
  experimental: true,
});

const LARGEST = 16384;
const size = () => int({ default: 0, min: 0, max: LARGEST });
const place = () => int({ default: 0, min: -LARGEST, max: LARGEST });
const layers = () => socket('LAYERS', {});

export const addLayer = define({
  name: 'AddLayer',
  displayName: 'Add Layer',
  description: 'Puts a picture, or each of a batch, on top of a stack of layers.',
  inputs: {
    image: image({}),
    layers: optional(layers()),
    mask: optional(mask({})),
    name: optional(string({ default: '', multiline: false })),
    x: optional(place()),
    y: optional(place()),
    opacity: optional(float({ default: 1, min: 0, max: 1, step: 0.01 })),
    blend_mode: optional(combo(LAYER_MODES, { default: 'normal' })),
    rotation: optional(float({ default: 0, min: -360, max: 360, step: 1 })),
    width: optional(size()),
    height: optional(size()),
    z_index: optional(int({ default: 0, min: -1000, max: 1000 })),
    flip_h: optional(boolean({ default: false })),
    flip_v: optional(boolean({ default: false })),
  },
  outputs: [{ type: 'LAYERS', name: 'LAYERS' }],
  run: ({ image, layers, mask, width = 0, height = 0, rotation = 0, ...rest }) => {
    const item: LayerItem = {
      image,
      type: 'raster',
      mask,
      name: rest.name === '' ? undefined : rest.name,
      x: rest.x,
      y: rest.y,
      w: width > 0 ? width : undefined,
      h: height > 0 ? height : undefined,
      rotation: rotation * (Math.PI / 180),
      opacity: rest.opacity,
      blend_mode: rest.blend_mode,
      z_index: rest.z_index,
      flip_h: rest.flip_h,
      flip_v: rest.flip_v,
    };
    const below = layersOf(layers);
    const stack: Layers = {
      version: 1,
      layers: [...itemsOf(below), item],
      canvas: canvasOf(below),
    };
    return [stack];
  },
});

export const layersFromBoundingBoxes = define({
  name: 'LayersFromBoundingBoxes',
  displayName: 'Layers From Bounding Boxes',
  description: 'A layer of each picture of a batch, each where its own box is.',
  inputs: {
    image: image({}),
    bboxes: socket('BOUNDING_BOX,ARRAY,STRING', {}),
    mask: optional(mask({})),
    layers: optional(layers()),
    crop_to_content: optional(boolean({ default: true })),
    canvas_width: optional(size()),
    canvas_height: optional(size()),
  },
  outputs: [{ type: 'LAYERS', name: 'LAYERS' }],
  run: ({ image, bboxes, mask, layers, ...rest }) => {
    const {
      crop_to_content: crop = true,
      canvas_width: width = 0,
      canvas_height: height = 0,
    } = rest;
    const boxes = readBoxes(bboxes, width, height);
    const below = layersOf(layers);
    const items = [...itemsOf(below)];
    const top = Math.max(-1, ...items.map((item) => whole(item.z_index, 0))) + 1;
    for (let i = 0; i < image.shape[0]; i++) {
      const frame = { image: rows(image, i, i + 1), mask: maskOf(mask, i) };
      items.push(placedItem(frame, isMembers(boxes[i]) ? boxes[i] : {}, { crop, z: top + i }));
    }
    const canvas = width > 0 && height > 0 ? ([width, height] as const) : canvasOf(below);
    return [{ version: 1, layers: items, canvas } satisfies Layers];
  },
});

interface Frame {
  readonly image: Image;
  readonly mask?: Mask;
}

/** A picture where its box is: as large as the box, or only its content, that `metadata.content_rect` names. */
function placedItem(
  { image, mask }: Frame,
  box: { x?: unknown; y?: unknown; width?: unknown; height?: unknown; metadata?: unknown },
  { crop, z }: { crop: boolean; z: number },
): LayerItem {
  const about = isMembers(box.metadata) ? box.metadata : {};
  const [x, y, w, h] = [box.x, box.y, box.width, box.height].map((v) => whole(v, 0));
  const name = [about.name, about.desc].find((text) => typeof text === 'string' && text !== '');
  const common = { type: 'raster', z_index: whole(about.z_index, z), name: name as string };
  const content = crop ? contentOf(about.content_rect, image) : undefined;
  if (!content) {
    const sides = { w: w > 0 ? w : undefined, h: h > 0 ? h : undefined };
    return { ...common, image, mask, x, y, ...sides };
  }
  return {
    ...common,
    image: cropImage(image, content),
    mask: mask && cropPlanes(mask, content),
    x: x + content.left,
    y: y + content.top,
  };
}

function contentOf(given: unknown, { shape: [, h, w] }: Image) {
  if (!Array.isArray(given) || given.length !== 4) return undefined;
  const [x, y, wide, high] = given.map((v) => whole(v, 0));
  const within = (v: number, most: number): number => Math.min(Math.max(v, 0), most);
  const [left, top] = [within(x, w), within(y, h)];
  const [width, height] = [within(wide, w - left), within(high, h - top)];
  return width > 0 && height > 0 ? { left, top, width, height } : undefined;
}

export const imageCompositor = define({
  name: 'ImageCompositor',
  displayName: 'Create Layered Image',
  description: 'One picture of a stack of layers, as they lie or as the editor saved them.',
  outputNode: true,
  hasIntermediateOutput: true,
  inputs: { layers: layers(), compositor: socket('COMPOSITOR', { default: {}, socketless: true }) },
  hidden: workflowInputs,
  outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
  run: async ({ layers: stack, compositor, ...hidden }, context) => {
    const all = expandLayers(stack);
    const shown = [];
    for (const layer of all) {
      const { ui } = await previewPictures(withAlpha(layer), hidden, context);
      shown.push(...((ui?.images ?? []) as unknown[]));
    }
    const prints = all.map(fingerprint);
    const { compose, isSaved, ownComposition, readComposition } =
      await import('../engine/values/composition.ts');
    const saved = readComposition(compositor, all, prints);
    const composition = saved ?? ownComposition(all, canvasOf(layersOf(stack)));
    const onLayer = (done: number): void => context.progress(done, all.length);
    const picture = all.length > 0 ? compose(all, composition, onLayer) : zeros([1, 64, 64, 3]);
    const [image, mask] = split(picture);
    const { ui } = await previewPictures(image, hidden, context);
    const stale = isSaved(compositor) && !saved;
    const about = {
      ...ui,
      compositor_layers: shown,
      compositor_inputs: prints,
      compositor_bboxes: all.map(entryOf),
    };
    return {
      result: [image, mask],
      ui: stale ? { ...about, compositor_state_stale: [true] } : about,
    };
  },
});

/** What the editor is told of a layer. */
const entryOf = ({ x, y, w, h, rotation, name, visible, opacity, blend, flipH, flipV }: Layer) => ({
  x,
  y,
  width: w,
  height: h,
  rotation,
  name,
  visible,
  opacity,
  blend,
  flipH,
  flipV,
});

/** The layer's picture with the alpha that its mask leaves. */
function withAlpha({ image, alpha }: Layer): Image {
  const [, h, w, channels] = image.shape;
  if (!alpha) return image;
  const out = new Float32Array(h * w * 4);
  for (let i = 0; i < h * w; i++) {
    for (let c = 0; c < 3; c++) out[i * 4 + c] = image.data[i * channels + c];
    out[i * 4 + 3] = alpha.data[i];
  }
  return { data: out, shape: [1, h, w, 4] };
}

/** Alpha that is as good as 1 everywhere is left out; the mask is 1 where the picture is transparent. */
function split(picture: Image): [Image, Mask] {
  const [, h, w, channels] = picture.shape;
  const mask = zeros([1, h, w]);
  if (channels === 3) return [picture, mask];
  const alpha = (i: number): number => picture.data[i * 4 + 3];
  let opaque = true;
  for (let i = 0; i < h * w && opaque; i++) opaque = alpha(i) >= 1 - 1e-3;
  if (!opaque) {
    for (let i = 0; i < h * w; i++) mask.data[i] = 1 - alpha(i);
    return [picture, mask];
  }
  const rgb = new Float32Array(h * w * 3);
  for (let i = 0; i < h * w; i++) rgb.set(picture.data.subarray(i * 4, i * 4 + 3), i * 3);
  return [{ data: rgb, shape: [1, h, w, 3] }, mask];
}

export const layerNodes: readonly NodeDefinition[] = [
  addLayer,
  layersFromBoundingBoxes,
  imageCompositor,
];
