/** Hypernetwork files on MODEL values. */
import { NoodleError } from '../errors.ts';
import {
  type Hypernetwork,
  hypernetworkActivations,
  hypernetworkPatch,
} from '../patch/hypernetwork.ts';
import { isSafetensors, openSource } from '../weights/open.ts';
import { type PickleValue } from '../weights/pickle.ts';
import { openTorchFile } from '../weights/torch-file.ts';
import type { Model } from './model.ts';

/** Opens a file of `hypernetworks`. Throws UNSUPPORTED for an activation or a file that is not known. */
export async function openHypernetwork(path: string): Promise<Hypernetwork> {
  const source = await openSource(path);
  const keys = [...source.tensors.keys()];
  if (!keys.some((key) => /^\d+\.0\..+\.weight$/.test(key))) {
    throw new NoodleError('UNSUPPORTED', { what: `${path}: this file holds no hypernetwork` });
  }
  const settings = isSafetensors(path) ? new Map() : openTorchFile(path).root;
  const read = (name: string): PickleValue =>
    settings instanceof Map ? (settings.get(name) as PickleValue) : undefined;
  const activation = read('activation_func') ?? 'linear';
  if (typeof activation !== 'string' || !Object.hasOwn(hypernetworkActivations, activation)) {
    const known = Object.keys(hypernetworkActivations).join(', ');
    const name = typeof activation === 'string' ? activation : 'that is no text';
    const what = `${path}: a hypernetwork with activation ${name} (known: ${known})`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  return {
    source,
    activation,
    layerNorms: read('is_layer_norm') === true,
    activateOutput: read('activate_output') === true,
  };
}

/** The model with a hypernetwork in its attentions; at strength 0 as it is. */
export function withHypernetwork(model: Model, file: Hypernetwork, strength: number): Model {
  if (strength === 0) return model;
  const patch = hypernetworkPatch(`hypernetwork${model.patches.length}`, file, strength);
  return { ...model, patches: [...model.patches, patch] };
}
