/** Pictures that the page sends along or edits on the way: Impact Pack, Inspire, Easy Use, Crystools. */
import { readFile } from 'node:fs/promises';
import {
  ExecutionBlocker,
  boolean,
  combo,
  full,
  image,
  int64,
  latent,
  map,
  optional,
  pictureFiles,
  string,
  vae,
  zeros,
} from 'noodle/node';
import type { ChoiceSource, Context, Image, Mask, NodeDefinition } from 'noodle/node';
import { describe } from './show.ts';
import { anything, inCategory } from './define.ts';
import { decoded } from './tooling.ts';

const impact = inCategory('ImpactPack/Util');

/** What a picture of the input folder holds: picture and mask (1 − alpha). */
async function loaded(name: string, { services }: Context): Promise<[Image, Mask]> {
  const { loadImageFile, toImageAndMask } = await pictureFiles();
  const { image, mask } = toImageAndMask(await loadImageFile(services.folders.annotatedFile(name)));
  return [image, mask];
}

/** The same of a picture written as base64. */
async function sent(data: string, name: string): Promise<[Image, Mask]> {
  const { toImageAndMask } = await pictureFiles();
  const { image, mask } = toImageAndMask(await decoded(data, name));
  return [image, mask];
}

const NO_MASK = 64;
const block = () =>
  optional(boolean({ default: false, label_on: 'if_empty_mask', label_off: 'never' }));
const restoreMask = () => optional(combo(['never', 'always', 'if_same_size'] as const));

/** The mask that the page painted on the picture `image` names; undefined where none was painted. */
async function painted(name: string, context: Context): Promise<Mask | undefined> {
  const isFile = name !== '' && !name.startsWith('$');
  if (!isFile || !context.services.folders.annotatedExists(name)) return undefined;
  const [, mask] = await loaded(name, context);
  return mask.data.some((v) => v !== 0) ? mask : undefined;
}

const bridges: readonly NodeDefinition[] = [
  impact({
    name: 'PreviewBridge',
    displayName: 'Preview Bridge (Image)',
    inputs: {
      images: image(),
      image: string({ default: '' }),
      block: block(),
      restore_mask: restoreMask(),
    },
    outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
    outputNode: true,
    async run({ images, image: name, block = false }, context) {
      const mask = await painted(name, context);
      const shown = await preview(images, context);
      if (mask === undefined && block) {
        const stopped = new ExecutionBlocker(null);
        return { ui: { images: shown }, result: [stopped, stopped] };
      }
      const result = [images, mask ?? zeros([1, NO_MASK, NO_MASK])];
      return { ui: { images: shown }, result };
    },
  }),
  impact({
    name: 'PreviewBridgeLatent',
    displayName: 'Preview Bridge (Latent)',
    inputs: {
      latent: latent(),
      image: string({ default: '' }),
      preview_method: combo([
        ...(['Latent2RGB-FLUX.1', 'Latent2RGB-SDXL', 'Latent2RGB-SD15', 'Latent2RGB-SD3'] as const),
        ...(['Latent2RGB-SD-X4', 'Latent2RGB-Playground-2.5', 'Latent2RGB-SC-Prior'] as const),
        ...(['Latent2RGB-SC-B', 'TAEF1', 'TAESDXL', 'TAESD15', 'TAESD3'] as const),
      ]),
      vae_opt: optional(vae({ rawLink: true })),
      block: block(),
      restore_mask: restoreMask(),
    },
    outputs: [{ type: 'LATENT' }, { type: 'MASK' }],
    outputNode: true,
    /** A mask that was painted is the latent's noise mask; without one all of it is. */
    async run({ latent, image: name, block = false }, context) {
      const mask = await painted(name, context);
      if (mask !== undefined) return [{ ...latent, noise_mask: mask }, mask];
      const stopped = new ExecutionBlocker(null);
      if (block) return [stopped, stopped];
      const own = latent.noise_mask;
      return [latent, own ?? full([1, ...latent.samples.shape.slice(-2)], 1)];
    },
  }),
];

/** Saves pictures among the temporary files, for the page to show. */
async function preview(images: Image, { services }: Context) {
  const { encodePng, toPixels } = await pictureFiles();
  const target = services.folders.saveTarget('PreviewBridge/PB-', 'temp');
  const shown = [];
  for (let i = 0; i < images.shape[0]; i++) {
    const bytes = await encodePng(toPixels(images, i), { level: 4 });
    const { name } = services.folders.writeNumbered(target, '.png', bytes);
    shown.push({ filename: name, subfolder: target.subfolder, type: 'temp' });
  }
  return shown;
}

const pictures = (source: ChoiceSource): readonly string[] => source.inputFiles('image');

/** Any existing file passes. */
const existing = {
  validate: {
    inputs: ['image'],
    check: (inputs: Record<string, unknown>, _types: unknown, source: ChoiceSource) => {
      const name = String(inputs.image);
      const exists = name === '#DATA' || (source.annotatedExists?.(name) ?? true);
      return exists || `Invalid image file: ${name}`;
    },
  },
};

const receivers: readonly NodeDefinition[] = [
  impact({
    name: 'ImageReceiver',
    displayName: 'Image Receiver',
    inputs: {
      image: combo(pictures),
      link_id: int64({ default: 0, min: 0, max: 2n ** 63n - 1n, step: 1 }),
      save_to_workflow: boolean({ default: false }),
      image_data: string({ multiline: false }),
      trigger_always: boolean({ default: false, label_on: 'enable', label_off: 'disable' }),
    },
    ...existing,
    outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
    isChanged: ({ trigger_always, image }) => (trigger_always ? NaN : image),
    run: ({ image, save_to_workflow, image_data }, context) =>
      save_to_workflow ? sent(image_data, 'image_data') : loaded(image, context),
  }),
  impact({
    name: 'ImageSender',
    displayName: 'Image Sender',
    inputs: {
      images: image(),
      filename_prefix: string({ default: 'ImgSender' }),
      link_id: int64({ default: 0, min: 0, max: 2n ** 63n - 1n, step: 1 }),
    },
    outputs: [],
    outputNode: true,
    async run({ images, link_id }, context) {
      const shown = await preview(images, context);
      context.send('img-send', { link_id, images: shown });
      return { ui: { images: shown } };
    },
  }),
  inCategory('InspirePack/image')({
    name: 'LoadImage //Inspire',
    displayName: 'Load Image (Inspire)',
    inputs: {
      image: combo((source) => [...pictures(source), '#DATA'], { image_upload: true }),
      image_data: string({ multiline: false }),
    },
    ...existing,
    outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
    /** The picture lies in the workflow; a file is read where it does not. */
    run: ({ image, image_data }, context) =>
      image_data.includes(',') ? sent(image_data, 'image_data') : loaded(image, context),
  }),
  inCategory('EasyUse/Image/LoadImage')({
    name: 'easy loadImageBase64',
    displayName: 'Load Image (Base64)',
    inputs: {
      base64_data: string({ default: '' }),
      image_output: combo(['Hide', 'Preview', 'Save', 'Hide/Save'] as const, {
        default: 'Preview',
      }),
      save_prefix: string({ default: 'ComfyUI' }),
    },
    outputs: [{ type: 'IMAGE' }, { type: 'MASK' }],
    outputNode: true,
    /** The mask is the alpha, all of it where there is none. */
    async run({ base64_data, image_output, save_prefix }, context) {
      const picture = await decoded(base64_data, 'base64_data');
      const { toImageAndMask } = await pictureFiles();
      const { image, mask } = toImageAndMask(picture);
      const hasAlpha = picture.frames[0].alpha !== undefined;
      const alpha = hasAlpha ? map(mask, (v) => 1 - v) : full(image.shape.slice(0, 3), 1);
      const saves = image_output.includes('Save');
      const shown = saves
        ? await saved(image, save_prefix, context)
        : image_output === 'Preview'
          ? await preview(image, context)
          : [];
      const isHidden = image_output.startsWith('Hide');
      return { ui: { images: isHidden ? [] : shown }, result: [image, alpha] };
    },
  }),
];

/** Saves pictures among the outputs. */
async function saved(images: Image, prefix: string, { services }: Context) {
  const { encodePng, toPixels } = await pictureFiles();
  const target = services.folders.saveTarget(prefix, 'output');
  const bytes = await encodePng(toPixels(images, 0), { level: 4 });
  const { name } = services.folders.writeNumbered(target, '.png', bytes);
  return [{ filename: name, subfolder: target.subfolder, type: 'output' }];
}

const crystools = inCategory('crystools 🪛/Image');
const debugging = inCategory('crystools 🪛/Debugger');

/** The JSON in a picture's text; undefined where there is none that can be read. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

const crystoolsNodes: readonly NodeDefinition[] = [
  crystools({
    name: 'Load image with metadata [Crystools]',
    displayName: '🪛 Load image with metadata',
    inputs: {
      image: combo((source) => source.inputFilesBelow?.('') ?? pictures(source), {
        image_upload: true,
      }),
    },
    ...existing,
    outputs: [
      { type: 'IMAGE', name: 'image' },
      { type: 'MASK', name: 'mask' },
      { type: 'JSON', name: 'prompt' },
      { type: 'METADATA_RAW', name: 'Metadata RAW' },
    ],
    outputNode: true,
    /** Of a PNG its prompt and workflow; of other files an empty record. */
    async run({ image }, context) {
      const { readImageWorkflow } = await pictureFiles();
      const both = await loaded(image, context);
      const file = context.services.folders.annotatedFile(image);
      const texts = await readImageWorkflow(await readFile(file));
      const [prompt, workflow] = [parsed(texts.prompt), parsed(texts.workflow)];
      const fileinfo = { filename: image, resolution: `${both[0].shape[2]}x${both[0].shape[1]}` };
      return [...both, prompt ?? {}, { fileinfo, prompt, workflow }];
    },
  }),
  crystools({
    name: 'Get resolution [Crystools]',
    displayName: '🪛 Get resolution',
    inputs: { image: image() },
    outputs: [
      { type: 'INT', name: 'width' },
      { type: 'INT', name: 'height' },
    ],
    outputNode: true,
    run: ({ image: { shape } }) => ({
      ui: { text: [`${shape[2]}x${shape[1]}`] },
      result: [shape[2], shape[1]],
    }),
  }),
  debugging({
    name: 'Show any [Crystools]',
    displayName: '🪛 Show any value to console/display',
    inputs: {
      any_value: optional(anything()),
      console: optional(boolean({ default: false })),
      display: optional(boolean({ default: true })),
      prefix: optional(string({ default: '' })),
    },
    inputIsList: true,
    outputs: [],
    outputNode: true,
    run({ any_value = [], display = [true] }) {
      const text = any_value.map(describe).join('');
      return { ui: { text: [display[0] ? text : 'inactive'] } };
    },
  }),
];

const sizes: readonly NodeDefinition[] = [
  inCategory('EasyUse/Image')({
    name: 'easy imageSize',
    displayName: 'ImageSize',
    inputs: { image: image() },
    outputs: [
      { type: 'INT', name: 'width_int' },
      { type: 'INT', name: 'height_int' },
    ],
    outputNode: true,
    run: ({ image: { shape } }) => ({
      ui: { text: [`Width: ${shape[2]} , Height: ${shape[1]}`] },
      result: [shape[2], shape[1]],
    }),
  }),
  ...['Debug Text _O', 'Debug Text route _O'].map((name) =>
    inCategory('O/debug/text')({
      name,
      inputs: {
        text: string({ multiline: false, defaultBehavior: 'input' }),
        prefix: string({ default: 'debug', multiline: false }),
      },
      outputs: name.includes('route') ? [{ type: 'STRING' }] : [],
      outputNode: !name.includes('route'),
      run: ({ text, prefix }) => ({ ui: { text: [`${prefix}: ${text}`] }, result: [text] }),
    }),
  ),
];

export const bridgeNodes: readonly NodeDefinition[] = [
  ...bridges,
  ...receivers,
  ...crystoolsNodes,
  ...sizes,
];
