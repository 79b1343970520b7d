/**
 * ComfyUI tooling nodes: pictures as text and over the websocket, and what a workflow made for Krita asks
 * of Krita. Without Krita its nodes give stand-ins, as the originals do.
 */
import {
  boolean,
  combo,
  float,
  full,
  image,
  int,
  map,
  mask,
  nd,
  optional,
  pictureFiles,
  pythonStr,
  string,
} from 'noodle/node';
import type { Image, Mask, NodeDefinition } from 'noodle/node';
import { anything, inCategory } from './define.ts';

const tooling = inCategory('external_tooling');
const krita = inCategory('krita');

/** Longest base64 text that is read: 64 MiB. */
const LONGEST = 2 ** 26;

/** The frames of a picture written as base64, with or without the head of a data URL. */
export async function decoded(text: string, name: string) {
  if (text.length > LONGEST) {
    throw new RangeError(`${name}: expected at most ${LONGEST} characters, got ${text.length}`);
  }
  const { decodeImage } = await pictureFiles();
  const bytes = Buffer.from(text.replace(/^data:image\/[a-z+.-]+;base64,/, ''), 'base64');
  return decodeImage(bytes, { name, firstOnly: true });
}

const pictureNodes: readonly NodeDefinition[] = [
  tooling({
    name: 'ETN_LoadImageBase64',
    displayName: 'Load Image (Base64)',
    inputs: { image: string({ multiline: false }) },
    outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
    /** The mask is the alpha as it is, not inverted; none without alpha. */
    async run({ image: text }) {
      const picture = await decoded(text, 'image');
      const { toImageAndMask } = await pictureFiles();
      const { image, mask } = toImageAndMask(picture);
      const hasAlpha = picture.frames[0].alpha !== undefined;
      return [image, hasAlpha ? map(mask, (v) => 1 - v) : null];
    },
  }),
  tooling({
    name: 'ETN_LoadMaskBase64',
    displayName: 'Load Mask (Base64)',
    inputs: { mask: string({ multiline: false }) },
    outputs: [{ type: 'MASK' }],
    async run({ mask }) {
      const picture = await decoded(mask, 'mask');
      const { toImageAndMask } = await pictureFiles();
      return [redOf(toImageAndMask(picture).image)];
    },
  }),
  tooling({
    name: 'ETN_SendImageWebSocket',
    displayName: 'Send Image (WebSocket)',
    inputs: {
      images: image({ rawLink: true }),
      format: combo(['PNG', 'JPEG'] as const, { default: 'PNG' }),
    },
    outputs: [],
    outputNode: true,
    run: ({ images }, context) => {
      const graph = context.newGraph();
      graph.node('SaveImageWebsocket', { images });
      return { result: [], expand: graph.finalize() };
    },
  }),
  tooling({
    name: 'ETN_ApplyMaskToImage',
    displayName: 'Apply Mask to Image',
    inputs: { image: image(), mask: mask() },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image, mask }) => [withAlpha(image, mask)],
  }),
];

const redOf = ({ data, shape: [n, h, w, c] }: Image): Mask =>
  nd(
    Float32Array.from({ length: n * h * w }, (_, i) => data[i * c]),
    [n, h, w],
  );

/** The pictures [b, h, w, 3 or 4] with the masks as their alpha; one mask does for all of them. */
function withAlpha(image: Image, mask: Mask): Image {
  const [n, h, w, c] = image.shape;
  const [count, maskH, maskW] = mask.shape;
  if (maskH !== h || maskW !== w) {
    throw new RangeError(`mask: expected ${w}×${h} as the picture has, got ${maskW}×${maskH}`);
  }
  const out = new Float32Array(n * h * w * 4);
  for (let i = 0; i < n * h * w; i++) {
    for (let k = 0; k < 3; k++) out[i * 4 + k] = image.data[i * c + k];
    out[i * 4 + 3] = mask.data[count === n ? i : i % (h * w)];
  }
  return nd(out, [n, h, w, 4]);
}

/** Side of the pictures that stand in for Krita's. */
const SIDE = 512;

const standIn = (): Image => full([1, SIDE, SIDE, 3], 0.5);
const everything = (): Mask => full([1, SIDE, SIDE], 1);

/** The largest double, which bounds what a parameter may say. */
const FURTHEST = Number.MAX_VALUE;

const PARAMETERS = {
  auto: (text: string) => text,
  number: (text: string) => numberOf(text),
  'number (integer)': (text: string) => Math.trunc(numberOf(text)),
  toggle: (text: string) => text,
  choice: (text: string) => text,
  text: (text: string) => text,
  'prompt (positive)': (text: string) => text,
  'prompt (negative)': (text: string) => text,
} as const;

const PARAMETER_TYPES = Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[];

function numberOf(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isNaN(value)) throw new RangeError(`default: expected a number, got '${text}'`);
  return value;
}

const styleOutputs = (model: string, positive: string, negative: string) => [
  { type: 'MODEL', name: model },
  { type: 'CLIP', name: 'clip' },
  { type: 'VAE', name: 'vae' },
  { type: 'STRING', name: positive },
  { type: 'STRING', name: negative },
  { type: '*', name: 'sampler name' },
  { type: '*', name: 'scheduler' },
  { type: 'INT', name: 'steps' },
  { type: 'FLOAT', name: 'guidance' },
];

const preset = () => combo(['auto', 'regular', 'live'] as const);

const onlyInKrita = (): never => {
  throw new Error('what this node gives, only Krita knows: start the workflow from there');
};

const kritaNodes: readonly NodeDefinition[] = [
  krita({
    name: 'ETN_KritaCanvas',
    displayName: 'Krita Canvas',
    inputs: {},
    outputs: [
      { type: 'IMAGE', name: 'image' },
      ...['width', 'height', 'seed'].map((name) => ({ type: 'INT', name })),
      { type: 'MASK', name: 'mask' },
    ],
    run: () => [standIn(), SIDE, SIDE, 0, everything()],
  }),
  krita({
    name: 'ETN_KritaSelection',
    displayName: 'Krita Selection',
    inputs: {
      context: combo(['automatic', 'entire image', 'mask bounds'] as const, {
        default: 'entire image',
      }),
      padding: int({ default: 0, min: 0 }),
    },
    outputs: [
      { type: 'MASK', name: 'mask' },
      { type: 'BOOLEAN', name: 'active' },
      { type: 'INT', name: 'offset x' },
      { type: 'INT', name: 'offset y' },
    ],
    run: () => [everything(), false, 0, 0],
  }),
  krita({
    name: 'ETN_KritaImageLayer',
    displayName: 'Krita Image Layer',
    inputs: { name: string({ default: 'Image' }) },
    outputs: [
      { type: 'IMAGE', name: 'image' },
      { type: 'MASK', name: 'mask' },
    ],
    run: () => [standIn(), everything()],
  }),
  krita({
    name: 'ETN_KritaMaskLayer',
    displayName: 'Krita Mask Layer',
    inputs: { name: string({ default: 'Mask' }) },
    outputs: [{ type: 'MASK', name: 'mask' }],
    run: () => [everything()],
  }),
  krita({
    name: 'ETN_Parameter',
    displayName: 'Parameter',
    inputs: {
      name: string({ default: 'Parameter' }),
      type: combo(PARAMETER_TYPES, { default: 'auto' }),
      default: string({ default: '' }),
      min: optional(float({ default: -1e10, min: -FURTHEST, max: FURTHEST })),
      max: optional(float({ default: 1e10, min: -FURTHEST, max: FURTHEST })),
    },
    outputs: [{ type: '*', name: 'value' }],
    run: ({ type, default: value }) => [PARAMETERS[type](value)],
  }),
  krita({
    name: 'ETN_KritaStyle',
    displayName: 'Krita Style',
    inputs: { name: string({ default: 'Style' }), sampler_preset: preset() },
    outputs: styleOutputs('model', 'positive prompt', 'negative prompt'),
    run: onlyInKrita,
  }),
  krita({
    name: 'ETN_KritaStyleAndPrompt',
    displayName: 'Krita Style & Prompt',
    inputs: { sampler_preset: preset() },
    outputs: styleOutputs(
      'model (with loras)',
      'positive prompt (evaluated)',
      'negative prompt (evaluated)',
    ),
    run: onlyInKrita,
  }),
  krita({
    name: 'ETN_KritaOutput',
    displayName: 'Krita Output',
    inputs: {
      images: image({ rawLink: true }),
      x: optional(int({ default: 0 })),
      y: optional(int({ default: 0 })),
      name: optional(string({ default: '' })),
      batch_mode: optional(
        combo(['default', 'images', 'animation', 'layers'] as const, { default: 'default' }),
      ),
      resize_canvas: optional(boolean({ default: false })),
    },
    outputs: [],
    outputNode: true,
    /** Krita listens to the websocket; the page shows the picture besides. */
    run({ images }, context) {
      const graph = context.newGraph();
      graph.node('SaveImageWebsocket', { images });
      graph.node('PreviewImage', { images });
      return { result: [], expand: graph.finalize() };
    },
  }),
  krita({
    name: 'ETN_KritaSendText',
    displayName: 'Send Text',
    inputs: {
      value: anything(),
      name: string({ default: 'Output' }),
      type: combo(['text', 'markdown', 'html'] as const, { default: 'text' }),
    },
    outputs: [],
    outputNode: true,
    run({ value, name, type }) {
      const text = typeof value === 'string' ? value : pythonStr(value);
      const mime = type === 'text' ? 'text/plain' : `text/${type}`;
      return { ui: { text: [{ name, text, 'content-type': mime }] } };
    },
  }),
];

export const toolingNodes: readonly NodeDefinition[] = [...pictureNodes, ...kritaNodes];
