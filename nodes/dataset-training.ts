/** Data sets as models are trained on them: encoded, saved, and loaded again. */
import { statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { withChannels } from '../engine/array/rectangle.ts';
import { NoodleError } from '../engine/errors.ts';
import {
  clip,
  combo,
  conditioning,
  image,
  inModule,
  int,
  latent,
  optional,
  string,
  vae,
} from '../engine/node.ts';
import type { Conditioning, Context, Latent, NodeDefinition } from '../engine/node.ts';
import { nameParts, resolveInside } from '../engine/store/paths.ts';
import { encodePrompt, encodeScheduled } from '../engine/values/clip.ts';
import { encode } from '../engine/values/vae.ts';
import { workflowInputs } from './image-io.ts';
import { networkRun, promptRun } from './prompt-run.ts';

const define = inModule('comfy_extras.nodes_dataset', 'v3', {
  category: 'model/training',
  experimental: true,
});

const files = () => import('../engine/training/data/encoded.ts');

const ENCODED = [
  { type: 'LATENT', name: 'latents', list: true },
  { type: 'CONDITIONING', name: 'conditioning', list: true },
] as const;

/** A text for each picture: one stands for all, none is the empty one. */
function textsFor(texts: readonly string[], pictures: number): readonly string[] {
  const given = texts.length > 0 ? texts : [''];
  if (given.length === pictures) return given;
  if (given.length === 1) return Array.from({ length: pictures }, () => given[0]);
  const expected = `${pictures} texts, one for each picture, or one, or none`;
  throw new NoodleError('BAD_INPUT', { subject: 'texts', expected, got: texts.length });
}

export const makeTrainingDataset = define({
  name: 'MakeTrainingDataset',
  displayName: 'Make Training Dataset',
  description: 'Pictures as latents, and their texts as conditioning.',
  inputIsList: true,
  inputs: {
    images: image({}),
    vae: vae({}),
    clip: clip({}),
    texts: optional(string({ forceInput: true })),
  },
  outputs: ENCODED,
  run: async ({ images, vae: [autoencoder], clip: [encoder], texts }, context) => {
    // Not passed at all where nothing is connected.
    const captions = textsFor((texts as readonly string[] | undefined) ?? [], images.length);
    const latents: Latent[] = [];
    for (const [i, picture] of images.entries()) {
      context.progress(i, images.length);
      const samples = await encode(autoencoder, withChannels(picture, 3), networkRun(context));
      latents.push({ samples });
    }
    const run = promptRun(context);
    const known = new Map<string, Conditioning>();
    for (const text of new Set(captions)) {
      known.set(text, await encodeScheduled(encoder, (hooked) => encodePrompt(hooked, text, run)));
    }
    return [latents, captions.map((text) => known.get(text)!)];
  },
});

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The folders for data sets; a name must lead to one below them. */
function roots({ services: { folders } }: Context, name: string): readonly string[] {
  if (nameParts(name).length > 0) return folders.modelPaths('datasets') ?? [];
  const expected = "the name of a folder in 'datasets', such as my_dataset";
  throw new NoodleError('BAD_INPUT', { subject: 'folder_name', expected, got: name });
}

export const saveTrainingDataset = define({
  name: 'SaveTrainingDataset',
  displayName: 'Save Training Dataset',
  description: 'Saves latents and conditioning into a folder of the data sets.',
  outputNode: true,
  inputIsList: true,
  inputs: {
    latents: latent({}),
    conditioning: conditioning({}),
    folder_name: string({ default: 'training_dataset' }),
    shard_size: int({ default: 1000, min: 1, max: 100000, advanced: true }),
  },
  hidden: workflowInputs,
  outputs: [],
  run: async ({ latents, conditioning: texts, folder_name: [name], shard_size }, context) => {
    if (latents.length !== texts.length) {
      const expected = `${latents.length} conditionings, one for each latent`;
      throw new NoodleError('BAD_INPUT', { subject: 'conditioning', expected, got: texts.length });
    }
    const { links } = context.services.folders;
    const folder = resolveInside(roots(context, name)[0], name, { links });
    const samples = latents.map((latent, i) => ({ latent, conditioning: texts[i] }));
    const { writeEncoded } = await files();
    await writeEncoded(folder, samples, shard_size[0]);
    return {};
  },
});

/** The folder of a saved data set in the first of the roots that has it. */
function savedFolder(name: string, context: Context): string {
  const folder = roots(context, name)
    .map((root) => resolveInside(root, name, { links: 'follow' }))
    .find(isDirectory);
  if (folder !== undefined) return folder;
  throw new NoodleError('FILE_NOT_FOUND', { kind: "Folder in 'datasets'", name });
}

export const loadTrainingDataset = define({
  name: 'LoadTrainingDataset',
  displayName: 'Load Training Dataset',
  description: 'Loads latents and conditioning that were saved as a data set.',
  inputs: {
    folder_name: combo((source) =>
      (source.modelDirectories?.('datasets', 'metadata.json') ?? [])
        .map((name) => name.replaceAll(sep, '/'))
        .filter((name) => name !== '.'),
    ),
  },
  outputs: ENCODED,
  // What lies there may have been saved anew.
  isChanged: ({ folder_name: name }, context) =>
    statSync(join(savedFolder(String(name), context), 'metadata.json')).mtimeMs,
  run: async ({ folder_name: name }, context) => {
    const { readEncoded } = await files();
    const samples = await readEncoded(savedFolder(name, context), name);
    return [samples.map(({ latent }) => latent), samples.map(({ conditioning: c }) => c)];
  },
});

export const datasetTrainingNodes: readonly NodeDefinition[] = [
  makeTrainingDataset,
  saveTrainingDataset,
  loadTrainingDataset,
];
