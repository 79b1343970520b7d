/** Opening model files: whole checkpoints, diffusion models, autoencoders, text encoders. */
import { basename } from 'node:path';
import type { Family, TextSetup } from '../arch/family.ts';
import { detectFamily, modelPrefix } from '../arch/families/detect.ts';
import { setupsByCount, textSetups } from '../arch/families/text-setups.ts';
import { NoodleError } from '../errors.ts';
import { vocabularyTensors } from '../text/vocabularies.ts';
import { fromDiffusersTransformer } from '../weights/key-maps/diffusers-transformers.ts';
import { fromDiffusersUNet, isDiffusersUNet } from '../weights/key-maps/diffusers-unet.ts';
import { fromTencentNames } from '../weights/key-maps/hunyuan-transformer.ts';
import { withSplitAttention } from '../weights/key-maps/split-attention.ts';
import { openSource } from '../weights/open.ts';
import { readFloats } from '../weights/read.ts';
import { latentFormat } from '../sampling/latent/formats.ts';
import { type WeightSource, mergeSources, rename, sub } from '../weights/source.ts';
import { openVae } from './autoencoders.ts';
import { type ClipVision, openClipVision } from './clip-vision.ts';
import type { Clip } from './clip.ts';
import type { Model } from './model.ts';
import { identifyTextEncoder, openTextEncoder } from './text-encoders.ts';
import type { Vae } from './vae.ts';

export interface Checkpoint {
  readonly model: Model;
  /** Null where the file has no (complete) text encoder or autoencoder. */
  readonly clip: Clip | null;
  readonly vae: Vae | null;
  /** The picture encoder of models that look at pictures, where the file has it. */
  readonly vision: ClipVision | null;
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
  const model = await diffusionModelOf(file, families);
  const { family } = model;
  const vaeSource = family.vaePrefixes
    .map((prefix) => sub(file, prefix))
    .find((source) => source.tensors.size > 0);
  return {
    model,
    clip: checkpointClip(file, family),
    vae: vaeSource ? vaeOrNull(vaeSource, family) : null,
    vision: (family.visionPrefix && openClipVision(sub(file, family.visionPrefix))) || null,
  };
}

/** Opens a diffusion model; the file may be a whole checkpoint, of which only that part is used. */
export async function loadDiffusionModel(
  path: string,
  families: readonly Family[],
): Promise<Model> {
  return diffusionModelOf(await openSource(path), families);
}

/** Opens an autoencoder file; a whole checkpoint's autoencoder is found by its prefix. */
export async function loadVae(path: string): Promise<Vae> {
  const file = await openSource(path);
  const inside = sub(file, 'first_stage_model.');
  return openVae(inside.tensors.size > 0 ? inside : file);
}

/**
 * Opens separate text encoder files, in any order, for a model type of CLIPLoader or DualCLIPLoader; without
 * one their number says what they are for. Throws UNSUPPORTED for a type that is not in the table, BAD_INPUT
 * for files that do not make one of its text sides, FAMILY_UNKNOWN for a file that is no known text encoder.
 */
export async function loadTextEncoders(paths: readonly string[], type?: string): Promise<Clip> {
  if (type !== undefined && !Object.hasOwn(textSetups, type)) {
    const known = Object.keys(textSetups).join(', ');
    throw new NoodleError('UNSUPPORTED', {
      what: `text encoders of type '${type}' are not supported; supported types are ${known}`,
    });
  }
  const files = await Promise.all(paths.map(openSource));
  const subject = type === undefined ? 'text encoders' : `text encoders of type ${type}`;
  const setups = type === undefined ? setupsByCount[paths.length] : textSetups[type];
  return textEncodersOf(files, setups, subject);
}

/** What text encoders without a type may make: the text side of a family that is here. */
export const familyTextSetups: readonly TextSetup[] = textSetups.stable_diffusion;

/**
 * The text side that these files make, in any order. Throws BAD_INPUT, with `subject`, when they make
 * none of `setups`, FAMILY_UNKNOWN for a file that is no known text encoder.
 */
export function textEncodersOf(
  sources: readonly WeightSource[],
  setups: readonly TextSetup[],
  subject: string,
): Clip {
  const files = sources.map(identifyTextEncoder);
  const names = files.map(({ spec }) => spec.name);
  const told = files.map(({ spec }, i) => `${spec.name} (${basename(sources[i].label)})`);
  const candidates = setups.filter(({ encoders }) => encoders.length === files.length);
  const setup = candidates.find(({ encoders }) =>
    encoders.every(({ name }) => names.includes(name)),
  );
  if (!setup) {
    const listed = candidates.map(({ encoders }) => encoders.map(({ name }) => name).join(' and '));
    throw new NoodleError('BAD_INPUT', {
      subject,
      expected: listed.length > 0 ? listed.join(', or ') : `one file, not ${files.length}`,
      got: told.join(' and '),
    });
  }
  const encoders = setup.encoders.map((spec) => {
    const { source } = files.find((file) => file.spec.name === spec.name)!;
    return openTextEncoder(source, spec)!;
  });
  return { setup, encoders };
}

/** The diffusion model in a source. Throws FAMILY_UNKNOWN, saying what the source seems to be. */
export async function diffusionModelOf(
  file: WeightSource,
  families: readonly Family[],
): Promise<Model> {
  const inside = sub(file, modelPrefix(file.tensors.keys()));
  const plain = inside.tensors.size > 0 ? inside : file;
  const source = originalNames(plain);
  const read = async (from: WeightSource, key: string) => {
    const entry = from.tensors.get(key);
    return entry && readFloats(entry);
  };
  const detected = await detectFamily(families, { model: source, file, read });
  const beside = detected.family.besideModel ?? [];
  return { ...detected, source: withBeside(source, file, beside), patches: [] };
}

/** Files of the diffusers library, Tencent's, and Stability's own, under the names that networks ask for. */
function originalNames(source: WeightSource): WeightSource {
  if (isDiffusersUNet(source)) return fromDiffusersUNet(source);
  return withSplitAttention(fromTencentNames(fromDiffusersTransformer(source)));
}

/** The source with tensors of the file whose keys start so. */
function withBeside(
  source: WeightSource,
  file: WeightSource,
  starts: readonly string[],
): WeightSource {
  if (starts.length === 0) return source;
  const isBeside = (key: string): boolean => starts.some((start) => key.startsWith(start));
  const beside = rename(file, (key) => (isBeside(key) ? key : undefined), { tag: 'beside' });
  return { ...mergeSources([source, beside]), metadata: source.metadata };
}

/** The autoencoder of a model of this family, which says whether it needs full precision. */
export function familyVae(source: WeightSource, { latentFormat: name }: Family): Vae {
  const { fullPrecision } = latentFormat(name);
  return { ...openVae(source), fullPrecision };
}

/** A checkpoint whose autoencoder is of no known kind can still be used with another one. */
function vaeOrNull(source: WeightSource, family: Family): Vae | null {
  try {
    return familyVae(source, family);
  } catch (error) {
    if (error instanceof NoodleError && error.code === 'FAMILY_UNKNOWN') return null;
    throw error;
  }
}

/** The family's text encoders, where the checkpoint has all of them, or enough for the family. */
function checkpointClip(file: WeightSource, { text, textPrefixes }: Family): Clip | null {
  const found = text.encoders.flatMap((spec, i) => {
    const source = textPrefixes[i]
      .map((prefix) => encoderSource(file, prefix))
      .find(({ tensors }) => tensors.size > 0);
    const encoder = source && openTextEncoder(source, spec);
    return encoder ? [encoder] : [];
  });
  if (found.length === text.encoders.length) return { setup: text, encoders: found };
  if (found.length === 0 || !text.of) return null;
  return { setup: text.of(found.map(({ spec }) => spec.name)), encoders: found };
}

/**
 * The text encoder below a prefix; its vocabulary may lie in front of `transformer.`, or of its name, and in front
 * of `transformer.` what its pooled output is multiplied by.
 */
function encoderSource(file: WeightSource, prefix: string): WeightSource {
  const own = sub(file, prefix);
  if (own.tensors.size === 0) return own;
  const steps = prefix.split('.').slice(0, -1);
  const fronts = steps.map((_, i) => steps.slice(0, i + 1).join('.'));
  const names = new Map(
    fronts.flatMap((front) => vocabularyTensors.map((name) => [`${front}.${name}`, name])),
  );
  const [, front] = /^(.+\.)transformer\.$/.exec(prefix) ?? [];
  if (front !== undefined && !own.tensors.has('text_projection.weight')) {
    names.set(`${front}text_projection`, 'text_projection');
  }
  const beside = rename(file, (key) => names.get(key), { tag: 'vocabulary' });
  if (beside.tensors.size === 0) return own;
  return { ...mergeSources([own, beside]), metadata: own.metadata };
}
