/**
 * What trainers call the weights of a network: every name a weight of Stable Diffusion's networks
 * goes by in LoRA files (kohya's with underscores, diffusers' and PEFT's with dots, LyCORIS', plain).
 * Facts: golden data README of the `lora` area; which name wins follows ComfyUI's key map.
 */
import { diffusersModules } from '../../weights/key-maps/diffusers-unet.ts';
import {
  type RowRange,
  transformerModuleNames,
} from '../../weights/key-maps/transformer-modules.ts';

/** Rows of a parameter in the network's own source. */
export interface WeightRows {
  readonly key: string;
  readonly rows: RowRange;
}

/** Base name in a LoRA file -> key of the parameter in the network's own source, or some of its rows. */
export type WeightNames = ReadonlyMap<string, string | WeightRows>;

const underscored = (name: string): string => name.replaceAll('.', '_');

/** Names of a UNet's parameters, from its keys in latent-diffusion spelling. */
export function unetNames(keys: Iterable<string>): WeightNames {
  const all = [...keys];
  const names = new Map<string, string | WeightRows>();
  for (const key of all) {
    const module = key.replace(/\.weight$/, '');
    names.set(`diffusion_model.${module}`, key);
    if (module !== key) names.set(`lora_unet_${underscored(module)}`, key);
  }
  for (const key of all) {
    if (key.endsWith('.weight')) addTransformerNames(names, key);
  }
  if (all.includes(priorMark)) {
    for (const [name, place] of [...names]) {
      if (name.startsWith('lora_unet_')) names.set(name.replace('lora_', 'lora_prior_'), place);
    }
  }
  // set later, so that they win where two names of one file mean the same weight
  for (const [module, others] of diffusersModules(all)) {
    for (const name of others) {
      for (const prefix of ['lora_unet_', 'lycoris_']) {
        names.set(prefix + underscored(name), `${module}.weight`);
      }
      for (const prefix of ['', 'unet.']) {
        names.set(prefix + name, `${module}.weight`);
        const processor = name.replace(/\.(to_[qkv]|to_out)(\.0)?$/, '.processor.$1');
        names.set(prefix + processor, `${module}.weight`);
      }
    }
  }
  return names;
}

/** Stable Cascade's stage C is a prior to those who train it. */
const priorMark = 'clip_txt_mapper.weight';

/** What trainers write in front of diffusers' names of a transformer's modules; with underscores, without. */
const transformerPrefixes = {
  dotted: ['', 'transformer.', 'diffusion_model.', 'base_model.model.', 'unet.base_model.model.'],
  underscored: ['lycoris_', 'lora_transformer_', 'lora_unet_'],
};

function addTransformerNames(names: Map<string, string | WeightRows>, key: string): void {
  for (const { name, rows } of transformerModuleNames(key.replace(/\.weight$/, ''))) {
    const place = rows ? { key, rows } : key;
    for (const prefix of transformerPrefixes.dotted) names.set(prefix + name, place);
    for (const prefix of transformerPrefixes.underscored) {
      names.set(prefix + underscored(name), place);
    }
  }
}

interface EncoderPrefixes {
  readonly kohya: readonly string[];
  readonly diffusers: readonly string[];
  /** What modules of the file are under, which names leave out. */
  readonly under?: string;
}

/** How files call one of a model's text encoders, besides its own full name. */
const encoderPrefixes: Readonly<Record<string, EncoderPrefixes>> = {
  clip_l: { kohya: ['lora_te_', 'lora_te1_'], diffusers: ['text_encoder.'] },
  clip_h: { kohya: ['lora_te_', 'lora_te1_'], diffusers: ['text_encoder.'] },
  clip_g: { kohya: ['lora_te2_', 'lora_prior_te_'], diffusers: ['text_encoder_2.'] },
  // its number says how many stand before it
  t5xxl: { kohya: ['lora_te1_', 'lora_te2_', 'lora_te3_'], diffusers: [] },
  hydit_clip: { kohya: ['lora_te1_'], diffusers: [], under: 'bert.' },
};

/** Those of a second encoder in models that have it without a first. */
const prefixesAlone: Readonly<Record<string, EncoderPrefixes>> = {
  clip_g: { kohya: ['lora_te_', 'lora_prior_te_'], diffusers: ['text_encoder.'] },
};

/** Names of a CLIP text model's parameters (keys under huggingface's names); `first`: its model's first encoder. */
export function clipNames(encoder: string, keys: Iterable<string>, first = 'clip_l'): WeightNames {
  const own = first === encoder ? prefixesAlone[encoder] : undefined;
  const {
    kohya,
    diffusers,
    under = '',
  } = own ?? encoderPrefixes[encoder] ?? { kohya: [], diffusers: [] };
  const names = new Map<string, string>();
  for (const key of keys) {
    const module = key.replace(/\.weight$/, '');
    names.set(`text_encoders.${encoder}.transformer.${module}`, key);
    if (module === key) continue;
    const name = module.startsWith(under) ? module.slice(under.length) : module;
    for (const prefix of kohya) names.set(prefix + underscored(name), key);
    for (const prefix of diffusers) names.set(prefix + name, key);
  }
  return names;
}
