/**
 * What training needs to know of each family besides how it runs: the order and the outside names of its modules,
 * and what files say they were trained on. Facts of the trainers: ai-toolkit's and sd-scripts' saved files.
 */
import {
  type Modules,
  auraFlow,
  flux,
  lumina,
  lumina2,
  pixArt,
  sd3,
} from '../../weights/key-maps/transformer-modules.ts';
import type { DialectName } from '../files/dialects.ts';
import { type FlowShift, fluxShift } from '../timesteps/shift.ts';
import * as trees from './trees.ts';

export interface TrainedFamily {
  readonly tree: trees.Tree;
  /** Weights that are no modules of their own to ComfyUI, whose node does not train them. */
  readonly bare?: RegExp;
  /** The stacks of its transformer blocks, which alone are trained as a rule; none in UNets. */
  readonly blocks?: readonly string[];
  /** Diffusers' names of its modules; left out: our own names serve. */
  readonly diffusers?: 'unet' | Modules;
  /** Modules whose rows diffusers has in another order: they keep our names. */
  readonly reordered?: (module: string, shape: readonly number[]) => boolean;
  /** The start of the name that counts where diffusers has two for a module. */
  readonly prefers?: string;
  /** How the YAML trainer and sd-scripts name tensors. */
  readonly saved: { readonly yaml: DialectName; readonly kohya: DialectName };
  /** What sides of pictures are multiples of in training, in pixels; left out: 16. */
  readonly unit?: number;
  /** How shifted timesteps of a flow are moved; left out: not at all. */
  readonly shift?: FlowShift;
  /** `ss_base_model_version` of the YAML trainer's files and of sd-scripts'. */
  readonly base: { readonly yaml: string; readonly kohya: Told };
  /** Its id in Stability's model specification; left out: the YAML trainer's name for it. */
  readonly architecture?: Told;
  /** Whose code runs it, in that specification; left out: diffusers. */
  readonly implementation?: string;
}

/** What tells models of one family apart where files name them. */
export interface Traits {
  /** It predicts v. */
  readonly v: boolean;
  /** It is told the strength that it was distilled with. */
  readonly guided: boolean;
}
export type Told = string | ((traits: Traits) => string);

const unet = {
  tree: trees.unetTree,
  bare: /^label_emb$/,
  diffusers: 'unet',
  saved: { yaml: 'diffusers', kohya: 'diffusers' },
} as const;

const sdxl: TrainedFamily = {
  ...unet,
  prefers: 'add_embedding',
  saved: { yaml: 'diffusers', kohya: 'kohya' },
  base: { yaml: 'sdxl_1.0', kohya: 'sdxl_base_v1-0' },
  architecture: 'stable-diffusion-xl-v1-base',
  implementation: 'https://github.com/Stability-AI/generative-models',
};

const sd1: TrainedFamily = {
  ...unet,
  base: { yaml: 'sd_1.5', kohya: ({ v }) => (v ? 'sd_v1_v' : 'sd_v1') },
  architecture: 'stable-diffusion-v1',
};

const sd2: TrainedFamily = {
  ...unet,
  base: { yaml: 'sd_2.1', kohya: ({ v }) => (v ? 'sd_v2_v' : 'sd_v2') },
  architecture: ({ v }) => (v ? 'stable-diffusion-v2-768-v' : 'stable-diffusion-v2-512'),
};

/** Saved under diffusers' names. */
const renamed = { saved: { yaml: 'peft', kohya: 'kohya' } } as const;
/** Saved under `diffusion_model.` and the names of the code that the trainer runs. */
const plain = { saved: { yaml: 'comfyui-peft', kohya: 'kohya' } } as const;

/** Families that no trainer has a name for are called by ours. */
const called = (name: string, kohya = name): Pick<TrainedFamily, 'base'> => ({
  base: { yaml: name, kohya },
});

const cascade = { tree: trees.cascadeTree, ...plain };
const double = { blocks: ['double_blocks', 'single_blocks'] };
const pixart: TrainedFamily = {
  tree: trees.pixArtTree,
  blocks: ['blocks'],
  diffusers: pixArt,
  ...renamed,
  ...called('pixart'),
};
const qwen = { tree: trees.qwenTree, blocks: ['transformer_blocks'], ...plain };

const rows: Readonly<Record<string, TrainedFamily>> = {
  sd1,
  zero123: sd1,
  sd2,
  'sd2-unclip': sd2,
  'sd-x4-upscaler': sd2,
  sdxl,
  'playground-2.5': sdxl,
  'sdxl-refiner': { ...sdxl, architecture: 'stable-diffusion-xl-v1-refiner' },
  'cascade-c': { ...cascade, ...called('cascade-c') },
  'cascade-b': { ...cascade, ...called('cascade-b') },
  sd3: {
    tree: trees.sd3Tree,
    bare: /\.ln_[qk]$/,
    blocks: ['joint_blocks'],
    diffusers: sd3,
    // of the last block's text only shift and scale are left, which diffusers has the other way round
    reordered: (module, [rows, width]) =>
      module.endsWith('context_block.adaLN_modulation.1') && rows === 2 * width,
    ...renamed,
    ...called('sd_3', 'sd3'),
    architecture: 'stable-diffusion-3',
    unit: 32,
    shift: { shift: 3 },
  },
  flux: {
    tree: trees.fluxTree,
    ...double,
    diffusers: flux,
    ...renamed,
    ...called('flux.1', 'flux1'),
    architecture: ({ guided }) => (guided ? 'flux-1-dev' : 'flux-1-schnell'),
    implementation: 'https://github.com/black-forest-labs/flux',
    unit: 32,
    shift: fluxShift,
  },
  flux2: { tree: trees.fluxTree, ...double, ...plain, ...called('flux2') },
  'ovis-image': { tree: trees.fluxTree, ...double, ...plain, ...called('ovis-image') },
  'longcat-image': { tree: trees.fluxTree, ...double, ...plain, ...called('longcat-image') },
  chroma: {
    tree: trees.chromaTree,
    ...double,
    ...plain,
    ...called('chroma'),
    architecture: 'chroma',
  },
  'chroma-radiance': {
    tree: trees.chromaTree,
    ...double,
    ...plain,
    ...called('chroma_radiance'),
    architecture: 'chroma',
  },
  'hunyuan-image': {
    tree: trees.hunyuanTree,
    ...double,
    ...plain,
    ...called('hunyuan-image-2.1'),
    architecture: 'hunyuan-image-2.1',
  },
  'hunyuan-image-refiner': {
    tree: trees.hunyuanTree,
    ...double,
    ...plain,
    ...called('hunyuan-image-2.1'),
    architecture: 'hunyuan-image-2.1',
  },
  lumina2: {
    tree: trees.luminaTree,
    blocks: ['layers', 'noise_refiner', 'context_refiner'],
    diffusers: lumina2,
    ...renamed,
    ...called('lumina2'),
    shift: { shift: 6 },
    architecture: 'lumina-2',
  },
  'z-image': {
    tree: trees.luminaTree,
    blocks: ['layers'],
    diffusers: lumina,
    ...plain,
    ...called('zimage'),
  },
  'mage-flow': { ...qwen, ...called('mageflow') },
  'qwen-image': { ...qwen, ...called('qwen_image') },
  omnigen2: {
    tree: trees.omniGen2Tree,
    blocks: ['noise_refiner', 'context_refiner', 'layers'],
    ...plain,
    ...called('omnigen2'),
  },
  auraflow: {
    tree: trees.auraFlowTree,
    blocks: ['double_layers', 'single_layers'],
    diffusers: auraFlow,
    ...renamed,
    ...called('auraflow'),
  },
  hidream: {
    tree: trees.hiDreamTree,
    bare: /\.gate$/,
    blocks: ['double_stream_blocks', 'single_stream_blocks'],
    ...plain,
    ...called('hidream_i1'),
  },
  'hunyuan-dit': {
    tree: trees.hunyuanDitTree,
    blocks: ['blocks'],
    ...plain,
    ...called('hunyuan-dit'),
  },
  'pixart-alpha': pixart,
  'pixart-sigma': pixart,
  'cosmos-predict2': {
    tree: trees.cosmosTree,
    blocks: ['blocks'],
    ...plain,
    ...called('cosmos-predict2'),
  },
};

/** What training knows of a family by its name; of one that has no row its own names and the order of its file. */
export const trainedFamily = (name: string): TrainedFamily =>
  rows[name] ?? { tree: [], ...plain, ...called(name) };
