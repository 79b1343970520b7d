/** Pictures and animations saved: WAS Suite, Video Helper Suite, SwarmUI. */
import { readdirSync } from 'node:fs';
import {
  boolean,
  combo,
  float,
  image,
  int,
  optional,
  pictureFiles,
  roundHalfEven,
  rows,
  socket,
  string,
  vae,
} from 'noodle/node';
import type { Context, Image, NodeDefinition } from 'noodle/node';
import { inCategory } from './define.ts';
import { withTime } from './time-tokens.ts';

const hidden = { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' } as const;
const flag = (value: 'true' | 'false') =>
  combo(value === 'true' ? (['true', 'false'] as const) : (['false', 'true'] as const));

const EXTENSIONS = ['png', 'jpg', 'jpeg', 'gif', 'tiff', 'webp', 'bmp'] as const;

/** Folder and name as ComfyUI's prefix; `.` and nothing are the output folder itself. */
function prefixOf(folder: string, name: string): string {
  const path = withTime(folder).trim();
  const isOutput = ['', '.', 'none'].includes(path);
  return isOutput ? withTime(name) : `${path}/${withTime(name)}`;
}

type Target = ReturnType<Context['services']['folders']['saveTarget']>;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

interface Naming {
  readonly filename_delimiter: string;
  readonly filename_number_padding: number;
  readonly filename_number_start: 'true' | 'false';
}

/** A target whose files are called by number and name, either first, from the next number on. */
function numbered(target: Target, how: Naming): Target {
  const { filename_delimiter: between, filename_number_padding: digits } = how;
  const inOrder = (number: string, name: string): string[] =>
    how.filename_number_start === 'true' ? [number, name] : [name, number];
  const parts = inOrder('(\\d{1,15})', escaped(target.filename));
  const pattern = new RegExp(`^${parts.join(escaped(between))}`);
  const highest = readdirSync(target.directory).reduce(
    (most, name) => Math.max(most, Number(pattern.exec(name)?.[1] ?? 0)),
    0,
  );
  const nameOf = (n: number): string =>
    inOrder(String(n).padStart(digits, '0'), target.filename).join(between);
  return { ...target, counter: highest + 1, nameOf };
}

const imageSave = inCategory('WAS Suite/IO')({
  name: 'Image Save',
  description: 'Saves pictures into a folder of the output folder, in many formats.',
  inputs: {
    images: image(),
    output_path: string({ default: '[time(%Y-%m-%d)]', multiline: false }),
    filename_prefix: string({ default: 'ComfyUI' }),
    filename_delimiter: string({ default: '_' }),
    filename_number_padding: int({ default: 4, min: 1, max: 9, step: 1 }),
    filename_number_start: flag('false'),
    extension: combo(EXTENSIONS),
    // Not there in prompts of older versions.
    dpi: optional(int({ default: 300, min: 1, max: 2400, step: 1 })),
    quality: int({ default: 100, min: 1, max: 100, step: 1 }),
    optimize_image: optional(flag('true')),
    lossless_webp: flag('false'),
    overwrite_mode: combo(['false', 'prefix_as_filename'] as const),
    show_history: flag('false'),
    show_history_by_prefix: flag('true'),
    embed_workflow: flag('true'),
    show_previews: flag('true'),
  },
  hidden,
  outputs: [
    { type: 'IMAGE', name: 'images' },
    { type: 'STRING', name: 'files' },
  ],
  outputNode: true,
  async run(inputs, context) {
    const { images, extension, quality } = inputs;
    const { folders, options } = context.services;
    const { pictureEncoders, toPixels, workflowTexts } = await pictureFiles();
    const target = folders.saveTarget(
      prefixOf(inputs.output_path, inputs.filename_prefix),
      'output',
    );
    const suffix = `.${extension}`;
    let next = numbered(target, inputs);
    const embeds = inputs.embed_workflow === 'true' && !options.disableMetadata;
    const text = embeds ? workflowTexts(inputs.prompt, inputs.extra_pnginfo) : [];
    const looks = { quality, lossless: inputs.lossless_webp === 'true', text };
    const saved: { path: string; name: string }[] = [];
    for (let i = 0; i < images.shape[0]; i++) {
      const bytes = await pictureEncoders[extension](toPixels(images, i), looks);
      if (inputs.overwrite_mode === 'prefix_as_filename') {
        saved.push(folders.writeNamed(target, target.filename + suffix, bytes));
      } else {
        const file = folders.writeNumbered(next, suffix, bytes);
        next = { ...next, counter: file.counter + 1 };
        saved.push(file);
      }
      context.progress(i + 1, images.shape[0]);
    }
    const shown = saved.map(({ name }) => ({
      filename: name,
      subfolder: target.subfolder,
      type: 'output',
    }));
    const ui = inputs.show_previews === 'true' ? { images: shown } : { images: [] };
    return { ui, result: [images, saved.map(({ path }) => path)] };
  },
});

/** Forwards, and backwards without the two ends. */
const pingPong = <T>(frames: readonly T[]): T[] => [...frames, ...frames.slice(1, -1).reverse()];

const FORMATS = ['image/gif', 'image/webp', 'video/8bit-png', 'video/16bit-png'] as const;

interface Animation {
  readonly format: (typeof FORMATS)[number];
  readonly frame_rate: number;
  readonly loop_count: number;
  readonly lossless: boolean;
}

/** Writes the frames in a format, and says which files those are. */
async function writeFrames(
  images: Image,
  order: readonly number[],
  { format, frame_rate, loop_count, lossless }: Animation,
  { to, context }: { to: Target; context: Context },
): Promise<{ path: string; name: string }[]> {
  const { encodeGif, encodePng, encodeWebp, toDeepPixels, toPixels } = await pictureFiles();
  const { folders } = context.services;
  const milliseconds = roundHalfEven(1000 / frame_rate);
  if (!format.startsWith('video/')) {
    const frames = order.map((i) => toPixels(images, i));
    const looks = { milliseconds, repeats: loop_count };
    const bytes =
      format === 'image/gif'
        ? await encodeGif(frames, looks)
        : await encodeWebp(frames, { ...looks, lossless, quality: 80, effort: 4, text: [] });
    return [folders.writeNumbered(to, format.replace('image/', '.'), bytes)];
  }
  const files = [];
  for (const [n, i] of order.entries()) {
    const pixels = format === 'video/8bit-png' ? toPixels(images, i) : toDeepPixels(images, i);
    const suffix = `.${String(n + 1).padStart(3, '0')}.png`;
    files.push(folders.writeNumbered(to, suffix, await encodePng(pixels, { level: 4 })));
    context.progress(n + 1, order.length);
  }
  return files;
}

const videoCombine = inCategory('Video Helper Suite 🎥🅥🅗🅢')({
  name: 'VHS_VideoCombine',
  displayName: 'Video Combine 🎥🅥🅗🅢',
  description: 'Saves frames as an animated GIF or WebP, or as numbered PNG files.',
  inputs: {
    images: image(),
    frame_rate: float({ default: 8n, min: 1n, step: 1n }),
    loop_count: int({ default: 0, min: 0, max: 100, step: 1 }),
    filename_prefix: string({ default: 'AnimateDiff' }),
    format: combo(FORMATS),
    pingpong: boolean({ default: false }),
    save_output: boolean({ default: true }),
    audio: optional(socket('AUDIO')),
    meta_batch: optional(socket('VHS_BatchManager')),
    vae: optional(vae()),
  },
  // What a format asks besides, `lossless` of WebP.
  acceptAllInputs: true,
  hidden,
  outputs: [{ type: 'VHS_FILENAMES', name: 'Filenames' }],
  outputNode: true,
  async run(inputs, context) {
    const { images, format, save_output, frame_rate, loop_count } = inputs;
    const count = images.shape[0];
    if (count === 0) return [[save_output, []]];
    const { encodePng, toPixels, workflowTexts } = await pictureFiles();
    const { folders, options } = context.services;
    const type = save_output ? 'output' : 'temp';
    const target = { ...folders.saveTarget(inputs.filename_prefix, type), tail: '' };
    const text = options.disableMetadata ? [] : workflowTexts(inputs.prompt, inputs.extra_pnginfo);
    const first = await encodePng(toPixels(rows(images, 0, 1), 0), { level: 4, text });
    const cover = folders.writeNumbered(target, '.png', first);
    const all = Array.from({ length: count }, (_, i) => i);
    const order = inputs.pingpong ? pingPong(all) : all;
    const lossless = inputs.lossless !== false;
    const style = { format, frame_rate, loop_count, lossless };
    const to = { ...target, counter: cover.counter };
    const files = await writeFrames(images, order, style, { to, context });
    const last = files.at(-1)!;
    const shown = { filename: last.name, subfolder: target.subfolder, type, format, frame_rate };
    const ui = { gifs: [{ ...shown, workflow: cover.name, fullpath: last.path }] };
    return { ui, result: [[save_output, [cover, ...files].map(({ path }) => path)]] };
  },
});

const swarmSave = inCategory('SwarmUI/images')({
  name: 'SwarmSaveImageWS',
  displayName: 'Swarm Save Image WS',
  description: 'Sends pictures over the websocket and saves none.',
  inputs: {
    images: image({ rawLink: true }),
    bit_depth: optional(combo(['8bit', '16bit', 'raw'] as const, { default: '8bit' })),
  },
  outputs: [],
  outputNode: true,
  run({ images }, context) {
    const graph = context.newGraph();
    graph.node('SaveImageWebsocket', { images });
    return { result: [], expand: graph.finalize() };
  },
});

export const savingNodes: readonly NodeDefinition[] = [imageSave, videoCombine, swarmSave];
