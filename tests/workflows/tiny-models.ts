/**
 * Tiny models of every kind that people's workflows of the Stable Diffusion family name, made from the
 * golden models: real key names and layouts, small widths, numbers that give pictures.
 */
import { join } from 'node:path';
import type { NDArray } from '../../engine/array/nd.ts';
import type { StandIns } from './stand-ins.ts';
import { type Tensors, goldenTensors, random, under } from './tensors.ts';

const unetPrefix = 'model.diffusion_model.';
const vaePrefix = 'first_stage_model.';

const golden = (area: string, path: string): Promise<Tensors> =>
  goldenTensors(area, join('models', path));

/** The first `width` of dimension 1, or more of it with random numbers behind. */
function widthened({ data, shape }: NDArray, width: number): NDArray {
  const [rows, columns, ...kernel] = shape;
  const cell = kernel.reduce((n, dim) => n * dim, 1);
  const result = random([rows, width, ...kernel], width, 0.1);
  for (let row = 0; row < rows; row++) {
    const kept = data.subarray(row * columns * cell, (row * columns + Math.min(width, columns)) * cell);
    result.data.set(kept, row * width * cell);
  }
  return result;
}

/** `tensors` with dimension 1 of those whose key matches made `width`. */
const withWidth = (tensors: Tensors, key: RegExp, width: number): Tensors =>
  new Map([...tensors].map(([name, x]) => [name, key.test(name) ? widthened(x, width) : x]));

/** Blocks of the golden SD1, which has one residual block a level, by those of one that has two, as SD1 has. */
const blocksOfSd1: Readonly<Record<string, readonly number[]>> = {
  input_blocks: [0, 1, 1, 2, 3, 5, 4, 5, 5],
  zero_convs: [0, 1, 1, 2, 3, 5, 4, 5, 5],
  output_blocks: [0, 0, 1, 2, 2, 3, 4, 5, 5],
};

/** The same with two residual blocks a level; T2I adapters count on that. */
function deepened(tensors: Tensors): Tensors {
  const result = new Map<string, NDArray>();
  for (const [key, value] of tensors) {
    const match = /^(.*(input_blocks|zero_convs|output_blocks)[._])(\d+)([._].*)$/.exec(key);
    if (!match) {
      result.set(key, value);
      continue;
    }
    const [, before, part, block, after] = match;
    blocksOfSd1[part].forEach((source, i) => {
      // the second block of level 2 has the attention of the first, which widens
      const attention = part === 'input_blocks' && i === 5 && /^[._]1[._]/.test(after);
      if (Number(block) === (attention ? 3 : source)) result.set(before + i + after, value);
    });
  }
  // of two blocks that stand for one, only the last makes the picture larger
  const enlarging = /output_blocks\.(0\.1|3\.2)\.conv/;
  return new Map([...result].filter(([key]) => !enlarging.test(key)));
}

const sd1 = async () =>
  deepened(await golden('end-to-end', 'checkpoints/tiny_sd15.safetensors.gz'));
const xl = () => golden('end-to-end', 'checkpoints/tiny_sdxl.safetensors.gz');

/** A checkpoint of another UNet, with the text encoder and VAE of SD1. */
async function sd1Inpaint(): Promise<Tensors> {
  const rest = [...(await sd1())].filter(([key]) => !key.startsWith(unetPrefix));
  return new Map([...rest, ...(await golden('unet', 'inpaint9.safetensors'))]);
}

/** The text encoder is SDXL's second one, whose keys and sizes are like SD2's. */
async function sd2(): Promise<Tensors> {
  const text = under(await xl(), 'conditioner.embedders.1.model.', 'cond_stage_model.model.');
  const vae = under(await sd1(), vaePrefix);
  return new Map([...(await golden('unet', 'sd2.safetensors')), ...text, ...vae]);
}

const sd2Inpaint = async () => withWidth(await sd2(), /input_blocks\.0\.0\.weight$/, 9);

/** With the picture encoder inside, and a vector condition of its embedding and its noise level. */
async function unclip(): Promise<Tensors> {
  const vision = await golden('upscale', 'clip_vision/clip_vision_h_openclip.safetensors');
  const width = 2 * vision.get('visual.proj')!.shape[1];
  const label = `${unetPrefix}label_emb.0`;
  return new Map([
    ...(await sd2()),
    ...under(vision, '', 'embedder.model.'),
    [`${label}.0.weight`, random([256, width], 1)],
    [`${label}.0.bias`, random([256], 2, 0.1)],
    [`${label}.2.weight`, random([256, 256], 3)],
    [`${label}.2.bias`, random([256], 4, 0.1)],
  ]);
}

/** The base model reduced to one text encoder and five numbers. */
async function refiner(): Promise<Tensors> {
  const base = await xl();
  const text = under(base, 'conditioner.embedders.1.', 'conditioner.embedders.0.');
  const rest = [...base].filter(([key]) => !key.startsWith('conditioner.'));
  const narrow = withWidth(new Map(rest), /attn2\.to_[kv]\.weight$/, 64);
  return new Map([...withWidth(narrow, /label_emb\.0\.0\.weight$/, 64 + 5 * 256), ...text]);
}

const vaeOf = async (checkpoint: Promise<Tensors>): Promise<Tensors> =>
  new Map(under(await checkpoint, vaePrefix, ''));

const controlSd1 = async () =>
  deepened(await golden('controlnet', 'controlnet/control_sd15.safetensors'));

/** A ControlNet for SDXL: its encoder, the hint layers of SD1's and small output layers. */
async function controlXl(): Promise<Tensors> {
  const unet = new Map(under(await xl(), unetPrefix, ''));
  const encoder = [...unet].filter(([key]) => /^(time_embed|label_emb|input_|middle_)/.test(key));
  const hint = under(await controlSd1(), 'control_model.input_hint_block.', 'input_hint_block.');
  const channels = [32, 32, 32, 64];
  const outputs = channels.flatMap((c, i): [string, NDArray][] => [
    [`zero_convs.${i}.0.weight`, random([c, c, 1, 1], i, 0.1)],
    [`zero_convs.${i}.0.bias`, random([c], i, 0.1)],
  ]);
  return new Map([
    ...encoder,
    ...hint,
    ...outputs,
    ['middle_block_out.0.weight', random([64, 64, 1, 1], 9, 0.1)],
    ['middle_block_out.0.bias', random([64], 10, 0.1)],
  ]);
}

/** A ControlNet as differences from SD1's UNet. */
async function controlDifference(): Promise<Tensors> {
  const base = await sd1();
  const differences = under(await controlSd1(), 'control_model.').map(([key, value]): [string, NDArray] => {
    const own = base.get(key.replace('control_model.', unetPrefix));
    if (!own) return [key, value];
    return [key, { ...value, data: value.data.map((v, i) => v - own.data[i]) }];
  });
  return new Map([['difference', { data: Float32Array.of(0), shape: [1] }], ...differences]);
}

/** Fusers for every transformer block of SD1. */
async function gligen(): Promise<Tensors> {
  const [texts, places, objects] = [64, 64, 768];
  const shapes: [string, number[]][] = [
    ['null_positive_feature', [texts]],
    ['null_position_feature', [places]],
    ['linears.0.weight', [512, texts + places]],
    ['linears.0.bias', [512]],
    ['linears.2.weight', [512, 512]],
    ['linears.2.bias', [512]],
    ['linears.4.weight', [objects, 512]],
    ['linears.4.bias', [objects]],
  ];
  const all = shapes.map(([key, shape]): [string, number[]] => [`position_net.${key}`, shape]);
  for (const [key, { shape }] of under(await sd1(), unetPrefix, '')) {
    if (!key.endsWith('.attn1.to_q.weight')) continue;
    const fuser = key.replace('attn1.to_q.weight', 'fuser');
    all.push(...fuserShapes(shape[0], objects).map(([name, s]) => [`${fuser}.${name}`, s] as [string, number[]]));
  }
  return new Map(all.map(([key, shape], i) => [key, random(shape, i, 0.5)]));
}

const fuserShapes = (c: number, objects: number): [string, number[]][] => [
  ['linear.weight', [c, objects]],
  ['linear.bias', [c]],
  ['attn.to_q.weight', [c, c]],
  ['attn.to_k.weight', [c, c]],
  ['attn.to_v.weight', [c, c]],
  ['attn.to_out.0.weight', [c, c]],
  ['attn.to_out.0.bias', [c]],
  ['ff.net.0.proj.weight', [8 * c, c]],
  ['ff.net.0.proj.bias', [8 * c]],
  ['ff.net.2.weight', [c, 4 * c]],
  ['ff.net.2.bias', [c]],
  ['norm1.weight', [c]],
  ['norm1.bias', [c]],
  ['norm2.weight', [c]],
  ['norm2.bias', [c]],
  ['alpha_attn', []],
  ['alpha_dense', []],
];

/** A picture encoder whose embedding is as wide as what SDXL takes. */
async function visionG(): Promise<Tensors> {
  const vision = await golden('upscale', 'clip_vision/clip_vision_l.safetensors');
  const projection = random([64, vision.get('visual_projection.weight')!.shape[1]], 1);
  return new Map([...vision, ['visual_projection.weight', projection]]);
}

/** Two layers for keys and two for values of SD1's text, as training scripts name them. */
const hypernetwork = (): Promise<Tensors> => {
  const layers = ['0', '1'].flatMap((side, i): [string, NDArray][] => [
    [`64.${side}.linear.0.weight`, random([128, 64], 2 * i)],
    [`64.${side}.linear.0.bias`, random([128], 2 * i, 0.1)],
    [`64.${side}.linear.1.weight`, random([64, 128], 2 * i + 1)],
    [`64.${side}.linear.1.bias`, random([64], 2 * i + 1, 0.1)],
  ]);
  return Promise.resolve(new Map(layers));
};

const upscaler = (name: string) => () => golden('upscale', `upscale_models/${name}.safetensors`);
const lora = (name: string) => () => golden('lora', `loras/${name}.safetensors`);

/** A B-LoRA in the names of its authors, for the two attentions of the tiny SDXL's inner level. */
function bLora(): Promise<Tensors> {
  const layers = [0, 1].flatMap((i) => {
    const layer = `unet.unet.up_blocks.0.attentions.${i}.transformer_blocks.0.attn1.to_q.lora`;
    return [
      [`${layer}.up.weight`, random([64, 4], i + 1, 0.1)],
      [`${layer}.down.weight`, random([4, 64], i + 3, 0.1)],
    ] as const;
  });
  return Promise.resolve(new Map(layers));
}

/** A T2I adapter as wide as the tiny SD1 is at its levels. */
async function adapter(): Promise<Tensors> {
  const tensors = new Map<string, NDArray>();
  const layer = (name: string, shape: readonly number[]): void => {
    tensors.set(`${name}.weight`, random(shape, tensors.size + 1));
    tensors.set(`${name}.bias`, random([shape[0]], tensors.size + 1, 0.1));
  };
  const widths = [32, 64, 64, 64];
  layer('conv_in', [widths[0], 3 * 64, 3, 3]);
  widths.forEach((width, level) => {
    const before = widths[Math.max(0, level - 1)];
    for (const block of [2 * level, 2 * level + 1]) {
      if (block === 2 * level && width !== before) {
        layer(`body.${block}.in_conv`, [width, before, 1, 1]);
      }
      layer(`body.${block}.block1`, [width, width, 3, 3]);
      layer(`body.${block}.block2`, [width, width, 1, 1]);
    }
  });
  return tensors;
}

/** What stands in for files of the Stable Diffusion family. */
export const tinyModels: StandIns = {
  checkpoints: [
    [/unclip/i, unclip],
    [/refiner/i, refiner],
    [/xl/i, xl],
    [/^512-inpainting/, sd2Inpaint],
    [/^v2-1/, sd2],
    [/inpainting/i, sd1Inpaint],
    [/./, sd1],
  ],
  vae: [
    [/xl/i, () => vaeOf(xl())],
    [/./, () => vaeOf(sd1())],
  ],
  controlnet: [
    [/t2i/i, adapter],
    [/^diff_control/, controlDifference],
    [/xl/i, controlXl],
    [/./, controlSd1],
  ],
  loras: [
    [/b[-_]lora/i, bLora],
    [/xl/i, lora('sdxl_kohya')],
    [/./, async () => deepened(await lora('kohya_ldm_names')())],
  ],
  upscale_models: [
    [/2x/i, upscaler('realesrgan_x2plus')],
    [/RealESRGAN/i, upscaler('compact_x4')],
    [/./, upscaler('esrgan_old_x4')],
  ],
  clip_vision: [[/./, visionG]],
  gligen: [[/./, gligen]],
  hypernetworks: [[/./, hypernetwork]],
};
