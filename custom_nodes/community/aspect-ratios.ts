/** Comfyroll's sizes by the name of what they are for, with an empty latent; Easy Use's pixels, shingo1228's latent. */
import { boolean, combo, float, int, optional, zeros } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { MAX_RESOLUTION, inCategory } from './define.ts';

const define = inCategory('🧩 Comfyroll Studio/✨ Essential/🔳 Aspect Ratio');
const HELP = 'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki/Aspect-Ratio-Nodes#';

const SD15 = [
  ...['1:1 square 512x512', '1:1 square 1024x1024', '2:3 portrait 512x768', '3:4 portrait 512x682'],
  ...['3:2 landscape 768x512', '4:3 landscape 682x512', '16:9 cinema 910x512'],
  ...['1.85:1 cinema 952x512', '2:1 cinema 1024x512', '2.39:1 anamorphic 1224x512'],
];

const SDXL = [
  ...['1:1 square 1024x1024', '3:4 portrait 896x1152', '5:8 portrait 832x1216'],
  ...['9:16 portrait 768x1344', '9:21 portrait 640x1536', '4:3 landscape 1152x896'],
  ...['3:2 landscape 1216x832', '16:9 landscape 1344x768', '21:9 landscape 1536x640'],
];

/** Without the two that only Comfyroll's list for SD 1.5 has. */
const BOTH = [
  ...SD15.filter((name) => !/1024x1024|1224x512/.test(name)).map((name) => `SD1.5 - ${name}`),
  ...SDXL.map((name) => `SDXL - ${name}`),
];

const BANNERS = [
  ...['Large Rectangle - 336x280', 'Medium Rectangle - 300x250', 'Small Rectangle - 180x150'],
  ...['Square - 250x250', 'Small Square - 200x200', 'Button - 125x125', 'Half Page - 300x600'],
  ...['Vertical Banner - 120x240', 'Wide Skyscraper - 160x600', 'Skyscraper - 120x600'],
  ...['Billboard - 970x250', 'Portrait - 300x1050', 'Banner - 468x60', 'Leaderboard - 728x90'],
];

const SOCIAL = [
  ...['Instagram Portrait - 1080x1350', 'Instagram Square - 1080x1080'],
  ...['Instagram Landscape - 1080x608', 'Instagram Stories/Reels - 1080x1920'],
  ...['Facebook Landscape - 1080x1350', 'Facebook Marketplace - 1200x1200'],
  ...['Facebook Stories - 1080x1920', 'TikTok - 1080x1920', 'YouTube Banner - 2560×1440'],
  ...['LinkedIn Profile Banner - 1584x396', 'LinkedIn Page Cover - 1128x191'],
  ...['LinkedIn Post - 1200x627', 'Pinterest Pin Image - 1000x1500'],
  ...['CivitAI Cover - 1600x400', 'OpenArt App - 1500x1000'],
];

/** Where the original gives other numbers than it says; the same workflow shall give the same picture. */
const SLIPS: ReadonlyMap<string, [width: number, height: number]> = new Map([
  ['Banner - 468x60', [168, 60]],
  ['LinkedIn Page Cover - 1128x191', [1584, 396]],
]);

/** The two numbers at the end of a name. */
function sizeOf(name: string): [width: number, height: number] {
  const slip = SLIPS.get(name);
  if (slip !== undefined) return slip;
  const [, width, height] = /(\d+)[x×](\d+)$/.exec(name)!;
  return [Number(width), Number(height)];
}

const sizes = (names: readonly string[]) => ({
  width: int({ default: 1024, min: 64, max: 8192 }),
  height: int({ default: 1024, min: 64, max: 8192 }),
  aspect_ratio: combo(['custom', ...names]),
  swap_dimensions: combo(['Off', 'On'] as const),
  upscale_factor: float({ default: 1, min: 0.1, max: 100, step: 0.1 }),
});
const prescaleFactor = () => float({ default: 1, min: 0.1, max: 100, step: 0.1 });
const batchSize = () => int({ default: 1, min: 1, max: 64 });

const output = (type: string, name: string) => ({ type, name });
const outputs = (...factors: string[]) => [
  output('INT', 'width'),
  output('INT', 'height'),
  ...factors.map((name) => output('FLOAT', name)),
  output('INT', 'batch_size'),
  output('LATENT', 'empty_latent'),
  output('STRING', 'show_help'),
];

const emptyLatent = (width: number, height: number, batch: number) => ({
  samples: zeros([batch, 4, Math.floor(height / 8), Math.floor(width / 8)]),
});

interface Choice {
  readonly width: number;
  readonly height: number;
  readonly aspect_ratio: string;
  readonly swap_dimensions: 'Off' | 'On';
}

/** Width and height of a choice; what is typed in where it is `custom`. */
function chosen({ width, height, aspect_ratio, swap_dimensions }: Choice): [number, number] {
  const [w, h] = aspect_ratio === 'custom' ? [width, height] : sizeOf(aspect_ratio);
  return swap_dimensions === 'On' ? [h, w] : [w, h];
}

/** The sizes of one family of models. */
const plain = (
  name: string,
  page: string,
  names: readonly string[],
  side: number,
): NodeDefinition =>
  define({
    name,
    displayName: `🔳 ${name}`,
    inputs: {
      ...sizes(names),
      width: int({ default: side, min: 64, max: 8192 }),
      height: int({ default: side, min: 64, max: 8192 }),
      batch_size: batchSize(),
    },
    outputs: outputs('upscale_factor'),
    run({ upscale_factor, batch_size, ...choice }) {
      const [width, height] = chosen(choice);
      const latent = emptyLatent(width, height, batch_size);
      return [width, height, upscale_factor, batch_size, latent, HELP + page];
    },
  });

/** Sizes that are scaled before the latent is made. */
const scaled = (name: string, page: string, names: readonly string[]): NodeDefinition =>
  define({
    name,
    displayName: `🔳 ${name}`,
    inputs: { ...sizes(names), prescale_factor: prescaleFactor(), batch_size: batchSize() },
    outputs: outputs('upscale_factor', 'prescale_factor'),
    run({ upscale_factor, prescale_factor, batch_size, ...choice }) {
      const [width, height] = chosen(choice).map((side) => Math.trunc(side * prescale_factor));
      const latent = emptyLatent(width, height, batch_size);
      const factors = [upscale_factor, prescale_factor];
      return [width, height, ...factors, batch_size, latent, HELP + page];
    },
  });

const PIXELS = [
  ...['512 x 512', '512 x 768', '576 x 1024', '768 x 512', '768 x 768', '768 x 1024', '768 x 1280'],
  ...['768 x 1344', '768 x 1536', '816 x 1920', '832 x 1152', '832 x 1216', '896 x 1152'],
  ...['896 x 1088', '1024 x 1024', '1024 x 576', '1024 x 768', '1080 x 1920', '1440 x 2560'],
  ...['1088 x 896', '1216 x 832', '1152 x 832', '1152 x 896', '1280 x 768', '1344 x 768'],
  ...['1536 x 640', '1536 x 768', '1920 x 816', '1920 x 1080', '2560 x 1440'],
];
const CUSTOM = 'width x height (custom)';

const pixels = inCategory('EasyUse/Logic')({
  name: 'easy pixels',
  displayName: 'Pixels W/H Norm',
  inputs: {
    resolution: combo([CUSTOM, ...PIXELS]),
    width: int({ default: 512, min: 64, max: MAX_RESOLUTION, step: 8 }),
    height: int({ default: 512, min: 64, max: MAX_RESOLUTION, step: 8 }),
    scale: float({ default: 2, min: 0.001, max: 10, step: 0.001 }),
    'flip_w/h': boolean({ default: false }),
  },
  outputs: [
    output('INT', 'width_norm'),
    output('INT', 'height_norm'),
    ...['width', 'height', 'scale_factor'].map((name) => output('*', name)),
  ],
  run({ resolution, width, height, scale, 'flip_w/h': flip }) {
    const sides = resolution === CUSTOM ? [width, height] : resolution.split(' x ').map(Number);
    const [w, h] = (flip ? sides.toReversed() : sides).map((side) => side * scale);
    return [...[w, h].map((side) => Math.trunc(side - (side % 8))), w, h, scale];
  },
});

const side = (w: number, h: number): string => `${w} x ${h} (${(w / h).toFixed(2)})`;
const SDXL_SIDES = [
  ...[side(704, 1408), side(704, 1344), side(768, 1344), side(768, 1280), side(832, 1216)],
  ...[side(832, 1152), side(896, 1152), side(896, 1088), side(960, 1088), side(960, 1024)],
  ...[side(1024, 1024), side(1024, 960), side(1088, 960), side(1088, 896), side(1152, 896)],
  ...[side(1152, 832), side(1216, 832), side(1280, 768), side(1344, 768), side(1344, 704)],
  ...[side(1408, 704), side(1472, 704), side(1536, 640), side(1600, 640), side(1664, 576)],
  side(1728, 576),
];
const ANY_SIZE = /(\d{2,4}) x (\d{2,4})/;

const sdxlEmptyLatent = inCategory('latent')({
  name: 'SDXL Empty Latent Image',
  inputs: {
    resolution: combo(SDXL_SIDES.map((name) => `[SDXL] ${name}`)),
    batch_size: int({ default: 1, min: 1, max: 64 }),
    channels: optional(combo(['4', '16'] as const, { default: '4' })),
  },
  // Its versions write sizes differently, and users have lists of their own.
  validate: {
    inputs: ['resolution'],
    check: ({ resolution }) =>
      ANY_SIZE.test(String(resolution)) ||
      `resolution: expected a size, got '${String(resolution)}'`,
  },
  outputs: [{ type: 'LATENT' }],
  run({ resolution, batch_size, channels = '4' }) {
    const [, width, height] = ANY_SIZE.exec(resolution)!.map(Number);
    const cells = [height, width].map((length) => Math.floor(length / 8));
    return [{ samples: zeros([batch_size, Number(channels), ...cells]) }];
  },
});

export const aspectRatioNodes: readonly NodeDefinition[] = [
  plain('CR SD1.5 Aspect Ratio', 'cr-sd15-aspect-ratio', SD15, 512),
  plain('CR SDXL Aspect Ratio', 'cr-sdxl-aspect-ratio', SDXL, 1024),
  scaled('CR Aspect Ratio', 'cr-aspect-ratio', BOTH),
  scaled('CR Aspect Ratio Banners', 'cr-aspect-ratio-banners', BANNERS),
  scaled('CR Aspect Ratio Social Media', 'cr-aspect-ratio-scial-media', SOCIAL),
  pixels,
  sdxlEmptyLatent,
];
