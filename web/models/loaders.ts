import type { LGraphNode } from '@comfyorg/litegraph';
import { isRecord } from '../../engine/workflow/records.ts';
import type { EditorCanvas } from '../graph/canvas.ts';

/** The class that loads the files of a folder, and its input for the name of the file. */
const loaders: Readonly<Record<string, readonly [type: string, input: string]>> = {
  checkpoints: ['CheckpointLoaderSimple', 'ckpt_name'],
  loras: ['LoraLoader', 'lora_name'],
  vae: ['VAELoader', 'vae_name'],
  diffusion_models: ['UNETLoader', 'unet_name'],
  text_encoders: ['CLIPLoader', 'clip_name'],
  clip_vision: ['CLIPVisionLoader', 'clip_name'],
  controlnet: ['ControlNetLoader', 'control_net_name'],
  upscale_models: ['UpscaleModelLoader', 'model_name'],
  style_models: ['StyleModelLoader', 'style_model_name'],
  gligen: ['GLIGENLoader', 'gligen_name'],
  hypernetworks: ['HypernetworkLoader', 'hypernetwork_name'],
  photomaker: ['PhotoMakerLoader', 'photomaker_model_name'],
  audio_encoders: ['AudioEncoderLoader', 'audio_encoder_name'],
  model_patches: ['ModelPatchLoader', 'name'],
};

/** Folders of the inputs that several classes have, by the input's name. */
const foldersOfInputs: Readonly<Record<string, string>> = {
  ckpt_name: 'checkpoints',
  lora_name: 'loras',
  vae_name: 'vae',
  unet_name: 'diffusion_models',
  clip_name: 'text_encoders',
  clip_name1: 'text_encoders',
  clip_name2: 'text_encoders',
  clip_name3: 'text_encoders',
  clip_name4: 'text_encoders',
  control_net_name: 'controlnet',
};

/** The folder of models that an input of a class names a file of; null where that is not known. */
export function folderOfInput(type: string, input: string): string | null {
  const own = Object.entries(loaders).find(([, row]) => row[0] === type && row[1] === input);
  if (own !== undefined) return own[0];
  return Object.hasOwn(foldersOfInputs, input) ? foldersOfInputs[input] : null;
}

/** A model file as it is dragged onto the canvas. */
export interface ModelFile {
  readonly folder: string;
  readonly name: string;
}

/** Reads what was dragged; null when it is no model file. */
export function readModel(text: string): ModelFile | null {
  const data: unknown = text === '' ? null : JSON.parse(text);
  if (!isRecord(data) || typeof data.folder !== 'string' || typeof data.name !== 'string') return null;
  return { folder: data.folder, name: data.name };
}

/** Whether there is a class that loads files of a folder. */
export const hasLoader = (folder: string): boolean => Object.hasOwn(loaders, folder);

/**
 * Gives a model file to the loader at a point of the graph, of the same kind, or makes a loader there.
 * Null when no class loads files of its folder.
 */
export function placeModel(
  canvas: EditorCanvas,
  { folder, name }: ModelFile,
  at: readonly [number, number],
): LGraphNode | null {
  if (!hasLoader(folder)) return null;
  const [type, input] = loaders[folder];
  const under = canvas.nodeAt(at);
  const node = under?.type === type ? under : canvas.addNode(type, at);
  const widget = node?.widgets?.find((w) => w.name === input);
  if (widget === undefined) return null;
  widget.value = name;
  canvas.setDirty(true, true);
  return node ?? null;
}
