/**
 * The public face for node authors: everything a node pack imports comes from here.
 *
 * ```ts
 * export const invert = defineNode({
 *   name: 'InvertMask', category: 'mask', module: 'nodes', form: 'v1',
 *   inputs: { mask: mask() },
 *   outputs: [{ type: 'MASK' }],
 *   run: ({ mask }) => [map(mask, (v) => 1 - v)],
 * });
 * ```
 */
import type {
  ChoiceSource,
  ComboChoice,
  InputSpec,
  NodeContext,
  NodeDefinition,
  NodeResult,
} from './graph/definition.ts';
import type { Services } from './values/services.ts';
import type { Clip } from './values/clip.ts';
import type { Conditioning } from './values/conditioning.ts';
import type { Image, Latent, Mask } from './values/media.ts';
import type { Model } from './values/model.ts';
import type { Vae } from './values/vae.ts';

// Arrays: what pictures, masks and latents are made of.
export { concat, rows } from './array/batch.ts';
export { map, zip } from './array/elementwise.ts';
export { full, nd, sameShape, zeros } from './array/nd.ts';
export { resizeMask, upscaleImage } from './array/resize.ts';
export type { NDArray } from './array/nd.ts';

export { ExecutionBlocker } from './graph/definition.ts';
export { isLink } from './graph/link.ts';
export { pythonRepr, pythonStr } from './python/repr.ts';
export { Float, pythonFloat } from './workflow/lossless-json.ts';
export type { BuiltNode, GraphBuilder } from './graph/graph-builder.ts';
export type {
  ChoiceSource,
  DynamicPromptView,
  GraphNode,
  HiddenKind,
  InputSpec,
  Link,
  NodeDefinition,
  NodeOutput,
  NodeReplacement,
  NodeResult,
  OutputSpec,
  PictureFile,
  PreviewImage,
  Prompt,
  PromptNode,
} from './graph/definition.ts';
export type { Services, Clip, Conditioning, Image, Latent, Mask, Model, Vae };

export type Context = NodeContext<Services>;

type Inputs = Readonly<Record<string, InputSpec>>;

/** The argument `run` receives for a set of declared inputs. */
export type InputValues<I extends Inputs> = {
  [K in keyof I]: I[K] extends InputSpec<infer T, infer Optional>
    ? Optional extends true
      ? T | undefined
      : T
    : never;
};

/** A node definition whose `run` is typed by its declared inputs. */
export type TypedNode<I extends Inputs> = Omit<
  NodeDefinition<Services>,
  'inputs' | 'run' | 'isChanged' | 'checkLazy'
> & {
  readonly inputs: I;
  isChanged?(inputs: Partial<InputValues<I>> & Record<string, unknown>, context: Context): unknown;
  checkLazy?(
    inputs: Partial<InputValues<I>> & Record<string, unknown>,
    context: Context,
  ): readonly string[] | Promise<readonly string[]>;
  run(
    inputs: InputValues<I> & Record<string, unknown>,
    context: Context,
  ): NodeResult | Promise<NodeResult>;
};

/** Declares a node; `run` is typed by the declared inputs. */
export function defineNode<const I extends Inputs>(node: TypedNode<I>): NodeDefinition {
  return node;
}

type Options = Readonly<Record<string, unknown>>;

/** A socket of any type, with no widget. `options` undefined prints `["TYPE"]` in V1 form. */
export function socket<T = unknown>(type: string, options?: Options): InputSpec<T, false> {
  return {
    type,
    optional: false,
    ...(options === undefined ? {} : { options }),
    ...(options?.lazy === true ? { lazy: true } : {}),
    ...(options?.rawLink === true ? { rawLink: true } : {}),
  };
}

/** The same input, not required. */
export function optional<T>(spec: InputSpec<T, boolean>): InputSpec<T, true> {
  return { ...spec, optional: true };
}

/** Integer widget within ±2^53; `run` gets a number. */
export const int = (options: Options = {}): InputSpec<number, false> => ({
  type: 'INT',
  options,
  optional: false,
});

/** Integer widget up to 64 bits (seeds); `run` gets a number, or a bigint beyond 2^53. */
export const int64 = (options: Options = {}): InputSpec<number | bigint, false> => ({
  type: 'INT',
  options,
  optional: false,
});

/**
 * Float widget. Whole-number defaults, minima, maxima and steps are printed as floats (`8.0`); where
 * ComfyUI prints an integer, give a bigint (`min: 0n`).
 */
export const float = (options: Options = {}): InputSpec<number, false> => ({
  type: 'FLOAT',
  options,
  optional: false,
});

export const string = (options?: Options): InputSpec<string, false> => ({
  type: 'STRING',
  optional: false,
  ...(options === undefined ? {} : { options }),
});

export const boolean = (options: Options = {}): InputSpec<boolean, false> => ({
  type: 'BOOLEAN',
  options,
  optional: false,
});

/** A choice from a list; the list may depend on the files at hand. */
export function combo<T extends ComboChoice = string>(
  choices: readonly T[] | ((source: ChoiceSource) => readonly T[]),
  options?: Options,
): InputSpec<T, false> {
  return { type: 'COMBO', choices, optional: false, ...(options === undefined ? {} : { options }) };
}

/** Any number of inputs made from one template; `run` gets `{ name: value }`. */
export function autogrow<T>(
  template: readonly [id: string, spec: InputSpec<T>],
  names: readonly string[] | { readonly prefix: string; readonly max: number },
  { min = 1 }: { readonly min?: number } = {},
): InputSpec<Readonly<Record<string, T>>, false> {
  return {
    type: 'COMFY_AUTOGROW_V3',
    optional: false,
    dynamic: { kind: 'autogrow', template, names, min },
  };
}

/** A choice that brings its own inputs; `run` gets `{ [id]: key, ...inputs of that choice }`. */
export function dynamicCombo(
  choices: readonly { readonly key: string; readonly inputs: Inputs }[],
): InputSpec<Readonly<Record<string, unknown>>, false> {
  return { type: 'COMFY_DYNAMICCOMBO_V3', optional: false, dynamic: { kind: 'combo', choices } };
}

/** A socket that brings more inputs once it is connected; `run` gets `{ [id]: value, ...inputs }`. */
export function dynamicSlot(
  slotType: string,
  inputs: Inputs,
): InputSpec<Readonly<Record<string, unknown>>, true> {
  return {
    type: 'COMFY_DYNAMICSLOT_V3',
    optional: true,
    dynamic: { kind: 'slot', slotType, inputs },
  };
}

/** A socket whose type is settled by what else of the same template is connected. */
export function matchType<T = unknown>(
  templateId: string,
  allowedTypes = '*',
): InputSpec<T, false> {
  return socket('COMFY_MATCHTYPE_V3', {
    template: { template_id: templateId, allowed_types: allowedTypes },
  });
}

export const model = (options?: Options): InputSpec<Model, false> => socket('MODEL', options);
export const clip = (options?: Options): InputSpec<Clip, false> => socket('CLIP', options);
export const vae = (options?: Options): InputSpec<Vae, false> => socket('VAE', options);
export const conditioning = (options?: Options): InputSpec<Conditioning, false> =>
  socket('CONDITIONING', options);
export const latent = (options?: Options): InputSpec<Latent, false> => socket('LATENT', options);
export const image = (options?: Options): InputSpec<Image, false> => socket('IMAGE', options);
export const mask = (options?: Options): InputSpec<Mask, false> => socket('MASK', options);
