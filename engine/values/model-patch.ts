/** MODEL_PATCH: networks beside a diffusion model that reach into it; which one a file holds. */
import { NoodleError } from '../errors.ts';
import { openSource } from '../weights/open.ts';
import { sub } from '../weights/source.ts';
import type { Weighted } from './network.ts';

export interface ModelPatch extends Weighted {
  readonly kind: ModelPatchKind;
}

export type ModelPatchKind = keyof typeof kinds;

interface Kind {
  readonly title: string;
  /** A key that every file of this kind has. */
  readonly marker: string;
  /** In front of the keys that belong to it. */
  readonly prefix?: string;
}

const kinds = {
  blockwise: {
    title: 'a DiffSynth control of Qwen-Image',
    marker: 'controlnet_blocks.0.y_rms.weight',
  },
  style: {
    title: "USO's style projector",
    marker: 'feature_embedder.mid_layer_norm.bias',
    prefix: 'feature_embedder.',
  },
} satisfies Record<string, Kind>;

const all: readonly (readonly [ModelPatchKind, Kind])[] = Object.entries(kinds) as [
  ModelPatchKind,
  Kind,
][];

/** Opens a file of `models/model_patches`. Reads the header only. Throws FAMILY_UNKNOWN when it is of no kind. */
export async function loadModelPatch(path: string): Promise<ModelPatch> {
  const file = await openSource(path);
  const found = all.find(([, { marker }]) => file.tensors.has(marker));
  if (!found) {
    const known = all.map(([, { title }]) => title).join(', ');
    const reason = `it is no patch for a diffusion model; supported are ${known}`;
    throw new NoodleError('FAMILY_UNKNOWN', { file: path, reason });
  }
  const [kind, { prefix }] = found;
  return { kind, source: prefix === undefined ? file : sub(file, prefix), patches: [] };
}

/** Throws BAD_INPUT, with what the file is, for a patch of another kind. */
export function requireKind(patch: ModelPatch, kind: ModelPatchKind): void {
  if (patch.kind === kind) return;
  throw misfitPatch(patch, kinds[kind].title, kinds[patch.kind].title);
}

/** BAD_INPUT that names the file of a patch. */
export const misfitPatch = ({ source }: ModelPatch, expected: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', { subject: `the model patch ${source.label}`, expected, got });
