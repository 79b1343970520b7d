/** Opening model files: whole checkpoints, diffusion models, autoencoders, text encoders. */
import type { Family, TextEncoderSpec, TextSetup } from '../arch/family.ts';
import { detectClip } from '../arch/clip.ts';
import { detectFamily, modelPrefix } from '../arch/families/detect.ts';
import { clipL } from '../arch/families/sd1.ts';
import { clipH } from '../arch/families/sd2.ts';
import { clipG, sdxl } from '../arch/families/sdxl.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import { fromDiffusersUNet, isDiffusersUNet } from '../weights/key-maps/diffusers-unet.ts';
import { clipNames } from '../weights/key-maps/open-clip.ts';
import { readFloats } from '../weights/read.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import { type WeightSource, fileSource, sub } from '../weights/source.ts';
import { openVae } from './autoencoders.ts';
import type { Clip } from './clip.ts';
import type { Model } from './model.ts';
import type { TextEncoder } from './text-encoder.ts';
import type { Vae } from './vae.ts';

export interface Checkpoint {
  readonly model: Model;
  /** Null where the file has no (complete) text encoder or autoencoder. */
  readonly clip: Clip | null;
  readonly vae: Vae | null;
}

/**
 * Opens a single-file checkpoint, or a file with only a diffusion model. Reads the header (and a few
 * small tensors) only. Throws FAMILY_UNKNOWN, saying what the file seems to be.
 */
export async function loadCheckpoint(
  path: string,
  families: readonly Family[],
): Promise<Checkpoint> {
  const file = await openSource(path);
  const model = await detectModel(file, families);
  const { family } = model;
  const vaeSource = family.vaePrefixes
    .map((prefix) => sub(file, prefix))
    .find((source) => source.tensors.size > 0);
  return {
    model,
    clip: checkpointClip(file, family),
    vae: vaeSource ? vaeOrNull(vaeSource) : null,
  };
}

/** Opens a diffusion model; the file may be a whole checkpoint, of which only that part is used. */
export async function loadDiffusionModel(
  path: string,
  families: readonly Family[],
): Promise<Model> {
  return detectModel(await openSource(path), families);
}

/** Opens an autoencoder file; a whole checkpoint's autoencoder is found by its prefix. */
export async function loadVae(path: string): Promise<Vae> {
  const file = await openSource(path);
  const inside = sub(file, 'first_stage_model.');
  return openVae(inside.tensors.size > 0 ? inside : file);
}

/** Opens separate text encoder files for a model type of CLIPLoader or DualCLIPLoader. */
export async function loadTextEncoders(paths: readonly string[], type: string): Promise<Clip> {
  const sources = await Promise.all(
    paths.map(async (path) => clipNames(withoutPrefix(await openSource(path)))),
  );
  const found = sources.map((source) => ({ source, kind: textEncoderKind(source) }));
  const setup = textSetup(
    found.map(({ kind }) => kind),
    type,
  );
  const encoders = setup.encoders.map((spec) => {
    const match = found.find(({ kind }) => kind.name === spec.name);
    if (!match) {
      const expected = setup.encoders.map(({ name }) => name).join(' and ');
      const got = found.map(({ kind }) => kind.name).join(' and ');
      throw new NoodleError('BAD_INPUT', {
        subject: `text encoders of type ${type}`,
        expected,
        got,
      });
    }
    return openEncoder(match.source, spec)!;
  });
  return { setup, encoders };
}

/** A file as a weight source. Throws UNSUPPORTED for pickled checkpoints. */
export async function openSource(path: string): Promise<WeightSource> {
  if (/\.(ckpt|pt|pt2|pth|bin|pkl)$/i.test(path)) {
    const what = `${path}: pickled checkpoints are not loaded; convert the file to .safetensors`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  return fileSource(await openSafetensors(path));
}

async function detectModel(file: WeightSource, families: readonly Family[]): Promise<Model> {
  const inside = sub(file, modelPrefix(file.tensors.keys()));
  const plain = inside.tensors.size > 0 ? inside : file;
  const source = isDiffusersUNet(plain) ? fromDiffusersUNet(plain) : plain;
  const read = async (from: WeightSource, key: string) => {
    const entry = from.tensors.get(key);
    return entry && readFloats(entry);
  };
  const detected = await detectFamily(families, { model: source, file, read });
  return { ...detected, source, patches: [] };
}

/** A checkpoint whose autoencoder is of no known kind can still be used with another one. */
function vaeOrNull(source: WeightSource): Vae | null {
  try {
    return openVae(source);
  } catch (error) {
    if (error instanceof NoodleError && error.code === 'FAMILY_UNKNOWN') return null;
    throw error;
  }
}

/** The family's text encoders, where the checkpoint has all of them. */
function checkpointClip(file: WeightSource, { text, textPrefixes }: Family): Clip | null {
  const encoders = text.encoders.map((spec, i) => {
    const source = textPrefixes[i]
      .map((prefix) => sub(file, prefix))
      .find(({ tensors }) => tensors.size > 0);
    return source && openEncoder(clipNames(source), spec);
  });
  if (encoders.some((encoder) => encoder === undefined)) return null;
  return { setup: text, encoders: encoders as TextEncoder[] };
}

function openEncoder(source: WeightSource, spec: TextEncoderSpec): TextEncoder | undefined {
  const config = detectClip(openWeights(source));
  return config && { spec, source, config, patches: [] };
}

/** Some tools leave `transformer.` (ComfyUI's saved encoders: `clip_l.transformer.`) in front of the keys. */
function withoutPrefix(source: WeightSource): WeightSource {
  for (const prefix of ['clip_l.transformer.', 'clip_g.transformer.', 'clip_h.transformer.']) {
    const inside = sub(source, prefix);
    if (inside.tensors.size > 0) return inside;
  }
  return source;
}

/** Which CLIP a file holds; told by its number of layers. Throws FAMILY_UNKNOWN for other encoders. */
function textEncoderKind({ label, tensors }: WeightSource): TextEncoderSpec {
  const layer = (n: number) => tensors.has(`text_model.encoder.layers.${n}.mlp.fc1.weight`);
  if (layer(30)) return clipG;
  if (layer(22)) return clipH;
  if (layer(0)) return clipL;
  const seems = foreignEncoders.find(({ key }) => tensors.has(key))?.title;
  const reason = seems
    ? `it seems to be ${seems}; supported text encoders are CLIP-L, CLIP-G and CLIP-H`
    : 'it holds no known text encoder';
  throw new NoodleError('FAMILY_UNKNOWN', { file: label, reason });
}

/** How one file, or a pair, is used: by what it holds, and by the type only where that leaves a choice. */
function textSetup(kinds: readonly TextEncoderSpec[], type: string): TextSetup {
  const known = ['stable_diffusion', 'stable_cascade', 'sdxl'];
  if (!known.includes(type)) {
    const what = `text encoders of type '${type}' (supported: ${known.join(', ')})`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  if (kinds.length > 1) return sdxl.text;
  const [kind] = kinds;
  if (kind.name !== clipG.name || type !== 'stable_cascade')
    return { encoders: [kind], pooledFrom: 0 };
  return { encoders: [cascadeClipG], pooledFrom: 0 };
}

/** Stable Cascade's use of CLIP-G: last layer, unnormed, padding hidden. */
export const cascadeClipG: TextEncoderSpec = { ...clipG, layer: -1, pad: 'end', maskPadding: true };

const foreignEncoders: readonly { readonly key: string; readonly title: string }[] = [
  { key: 'encoder.block.23.layer.1.DenseReluDense.wi_1.weight', title: 'T5-XXL' },
  { key: 'encoder.block.23.layer.1.DenseReluDense.wi.weight', title: 'T5 v1.0 XXL' },
  { key: 'encoder.block.0.layer.0.SelfAttention.k.weight', title: 'a T5' },
  { key: 'model.layers.0.post_feedforward_layernorm.weight', title: 'Gemma' },
  { key: 'model.layers.0.self_attn.k_proj.bias', title: 'Qwen2.5-VL' },
  { key: 'model.layers.0.post_attention_layernorm.weight', title: 'Llama 3' },
];
