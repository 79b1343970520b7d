/** Batches of pictures saved as one animation. */
import { toInteger } from '../engine/array/round.ts';
import { encodeApng, encodeWebp } from '../engine/media/animation.ts';
import { workflowTexts } from '../engine/media/workflow-texts.ts';
import type { Pixels } from '../engine/media/formats/png/encode.ts';
import { toPixels } from '../engine/media/to-array.ts';
import { boolean, combo, float, image, inModule, int, string } from '../engine/node.ts';
import type { Context, Image, NodeDefinition, NodeOutput } from '../engine/node.ts';
import { type WorkflowValues, workflowInputs } from './image-io.ts';
import { savable } from './save-prefix.ts';

const define = inModule('comfy_extras.nodes_images', 'v1', {
  category: 'image/animation',
  outputs: [{ type: 'IMAGE', name: 'images' }],
  outputNode: true,
});

const common = { images: image(), filename_prefix: string({ default: 'ComfyUI' }) };
const fps = float({ default: 6, min: 0.01, max: 1000, step: 0.01 });

type Text = readonly (readonly [key: string, value: string])[];

/** Encodes all frames, writes one numbered file, and says so to the client. */
async function saveAnimation(
  inputs: { images: Image; filename_prefix: string } & WorkflowValues,
  { services }: Context,
  suffix: string,
  encode: (frames: Pixels[], text: Text) => Promise<Uint8Array>,
): Promise<readonly unknown[]> {
  const [count, height, width] = inputs.images.shape;
  const size = { width, height };
  const target = services.folders.saveTarget(inputs.filename_prefix, 'output', size);
  const text = services.options.disableMetadata
    ? []
    : workflowTexts(inputs.prompt, inputs.extra_pnginfo);
  const frames = Array.from({ length: count }, (_, i) => toPixels(inputs.images, i));
  const { name } = services.folders.writeNumbered(target, suffix, await encode(frames, text));
  return [{ filename: name, subfolder: target.subfolder, type: 'output' }];
}

const EFFORT = { default: 4, fastest: 0, slowest: 6 } as const;

export const saveAnimatedWebp = define({
  hidden: workflowInputs,
  name: 'SaveAnimatedWEBP',
  displayName: 'SaveAnimatedWEBP',
  validate: savable('.webp'),
  inputs: {
    ...common,
    fps,
    lossless: boolean({ default: true }),
    quality: int({ default: 80, min: 0, max: 100 }),
    method: combo(['default', 'fastest', 'slowest'] as const),
  },
  run: async (inputs, context): Promise<NodeOutput> => {
    const { fps, lossless, quality, method } = inputs;
    const effort = EFFORT[method];
    const milliseconds = toInteger(1000 / fps);
    const images = await saveAnimation(inputs, context, '.webp', (frames, text) =>
      encodeWebp(frames, { milliseconds, text, lossless, quality, effort }),
    );
    const animated = [inputs.images.shape[0] !== 1];
    return { result: [inputs.images], ui: { images, animated } };
  },
});

export const saveAnimatedPng = define({
  hidden: workflowInputs,
  name: 'SaveAnimatedPNG',
  displayName: 'SaveAnimatedPNG',
  validate: savable('.png'),
  inputs: { ...common, fps, compress_level: int({ default: 4, min: 0, max: 9 }) },
  run: async (inputs, context): Promise<NodeOutput> => {
    const milliseconds = toInteger(1000 / inputs.fps);
    const images = await saveAnimation(inputs, context, '.png', (frames, text) =>
      encodeApng(frames, { milliseconds, text, level: inputs.compress_level }),
    );
    return { result: [inputs.images], ui: { images, animated: [true] } };
  },
});

export const imageAnimationNodes: readonly NodeDefinition[] = [saveAnimatedWebp, saveAnimatedPng];
