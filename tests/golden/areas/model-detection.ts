/** Golden area `model-detection`: released models' keys and shapes, and the family they belong to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectFamily, modelPrefix } from '../../../engine/arch/families/detect.ts';
import { families } from '../../../engine/arch/families/index.ts';
import type { UNetConfig } from '../../../engine/arch/unet.ts';
import { NoodleError } from '../../../engine/errors.ts';
import { sub } from '../../../engine/weights/source.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type Manifest, manifestSource } from '../../support/manifest.ts';
import { compare, type GoldenArea } from '../area.ts';

/** ComfyUI's class names of the families we run. */
const names: Readonly<Record<string, string>> = {
  SD15: 'sd1',
  SD20: 'sd2',
  SD_X4Upscaler: 'sd-x4-upscaler',
  SDXL: 'sdxl',
  SSD1B: 'sdxl',
  Segmind_Vega: 'sdxl',
  KOALA_700M: 'sdxl',
  KOALA_1B: 'sdxl',
  SDXLRefiner: 'sdxl-refiner',
  SD3: 'sd3',
  Flux: 'flux',
  FluxInpaint: 'flux',
  FluxSchnell: 'flux',
  Chroma: 'chroma',
  ChromaRadiance: 'chroma-radiance',
  Stable_Cascade_C: 'cascade-c',
  Stable_Cascade_B: 'cascade-b',
  AuraFlow: 'auraflow',
  HunyuanImage21: 'hunyuan-image',
  HunyuanImage21Refiner: 'hunyuan-image-refiner',
  Lumina2: 'lumina2',
  Omnigen2: 'omnigen2',
  QwenImage: 'qwen-image',
  HiDream: 'hidream',
  PixArtAlpha: 'pixart-alpha',
  PixArtSigma: 'pixart-sigma',
  CosmosT2IPredict2: 'cosmos-predict2',
  HunyuanDiT: 'hunyuan-dit',
  HunyuanDiT1: 'hunyuan-dit',
};

const read = (dir: string, name: string): Partial<Manifest> =>
  JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8')) as Partial<Manifest>;

type Sizes = Manifest['detected_config'];
type Pair = readonly [got: readonly unknown[], known: readonly unknown[]];

const unetSizes = (config: UNetConfig, sizes: Sizes): Pair => [
  [config.inChannels, config.modelChannels, config.contextWidth, config.admWidth],
  [sizes.in_channels, sizes.model_channels, sizes.context_dim, sizes.adm_in_channels],
];

/** What transformers call the width of the text, where they say it. */
const textWidths = ['context_in_dim', 'cond_seq_dim', 'joint_attention_dim', 'cap_feat_dim'];

function textSizes({ contextWidth }: { readonly contextWidth: number }, sizes: Sizes): Pair {
  const told = textWidths.map((name) => (sizes as Record<string, unknown>)[name]);
  const width = told.find((value) => value !== undefined);
  return width === undefined ? [[], []] : [[contextWidth], [width]];
}

export const area: GoldenArea = {
  name: 'model-detection',
  list: async (dir) =>
    goldenFiles(dir, '.json')
      .map((file) => file.slice(0, -5))
      .filter((name) => read(dir, name).detected_family !== undefined),
  async run(dir, name) {
    const manifest = read(dir, name) as Manifest;
    const file = manifestSource(manifest);
    const inside = sub(file, modelPrefix(file.tensors.keys()));
    const model = inside.tensors.size > 0 ? inside : file;
    const expected = names[manifest.detected_family];
    const request = { model, file, read: async () => undefined };
    const found = await detectFamily(families, request).catch((error: unknown) => {
      if (error instanceof NoodleError && error.code === 'FAMILY_UNKNOWN') return error;
      throw error;
    });
    if (found instanceof NoodleError) {
      if (expected === undefined) return { skip: `refused: ${String(found.details.reason)}` };
      throw found;
    }
    const right = found.family.name === expected;
    const label = `family ${found.family.name}, expected ${expected ?? 'a refusal'}`;
    const { detected_config: sizes } = manifest;
    const [got, known] =
      'modelChannels' in (found.config as object)
        ? unetSizes(found.config as UNetConfig, sizes)
        : textSizes(found.config as { readonly contextWidth: number }, sizes);
    const list = (values: readonly unknown[]) => ({
      data: values.map((value) => Number(value ?? -1)),
      shape: [values.length],
    });
    return {
      comparisons: [
        { name: label, maxError: right ? 0 : 1, tolerance: 0, pass: right },
        compare('sizes', list(got), list(known), { atol: 0, rtol: 0 }),
      ],
    };
  },
};
