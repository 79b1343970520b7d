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
  DynamicPromptView,
  HiddenKind,
  HiddenSpec,
  InputSpec,
  Needs,
  NodeContext,
  NodeDefinition,
  NodeResult,
  Prompt,
} from './graph/definition.ts';
import type { Services } from './values/services.ts';
import type { Clip } from './values/clip.ts';
import type { Conditioning } from './values/conditioning.ts';
import type { Image, Latent, Mask } from './values/media.ts';
import type { Model } from './values/model.ts';
import type { Vae } from './values/vae.ts';
import type { Json } from './workflow/lossless-json.ts';

// Arrays: what pictures, masks and latents are made of.
export { resizeAntialiased } from './array/antialias.ts';
export { concat, repeatToBatch, rows } from './array/batch.ts';
export { blurImage } from './array/convolve.ts';
export { map, zip } from './array/elementwise.ts';
export { hexColour } from './array/hex-colour.ts';
export { growMask } from './array/morphology.ts';
export { full, nd, reshape, sameShape, zeros } from './array/nd.ts';
export { checkPictureSize } from './array/picture-size.ts';
export { cropImage, cropPlanes, padImage, withChannels } from './array/rectangle.ts';
export { commonUpscale, pillowImage, resizeMask, upscaleImage } from './array/resize.ts';
export { roundHalfEven, toByte } from './array/round.ts';
export type { NDArray } from './array/nd.ts';
export type { Rectangle } from './array/rectangle.ts';
export type { ByteFilter } from './array/resample-bytes.ts';
export type { CropMode, UpscaleMethod } from './array/resize.ts';

// Python's ways, where nodes promise them: formulas, patterns, truth, how values read.
export { evaluate } from './python/expression.ts';
export { formatValue } from './python/format-spec.ts';
export { compileRegex, substitute } from './python/regex.ts';
export { withinTime } from './python/time-limit.ts';
export { isTruthy } from './python/truth.ts';
export type { Value as PythonValue } from './python/expression.ts';

export { ExecutionBlocker } from './graph/definition.ts';
export { isLink } from './graph/link.ts';
export { pythonRepr, pythonStr } from './python/repr.ts';
export { Float, pythonFloat } from './workflow/lossless-json.ts';
export type { BuiltNode, GraphBuilder } from './graph/graph-builder.ts';
export type { Link } from './graph/link.ts';
export type {
  ChoiceSource,
  DynamicPromptView,
  GraphNode,
  HiddenKind,
  InputSpec,
  Needs,
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

/** Python's `random` and numpy's `default_rng`, seeded. */
export { numpyGenerator } from './sampling/noise/numpy-generator.ts';
export { pythonRandom } from './sampling/noise/python-random.ts';
export type { NumpyGenerator } from './sampling/noise/numpy-generator.ts';
export type { PythonRandom } from './sampling/noise/python-random.ts';

/** What samplers and schedules are called. */
export { samplerNames, schedulerNames } from './sampling/names.ts';

/** LoRA files and regions of prompts on models; loaded when a node runs that needs them. */
export const models = () => import('./values/for-packs.ts');

/** Pictures as files: PNG, JPEG, WebP, GIF …; loaded when a node runs that saves. */
export const pictureFiles = () => import('./media/for-packs.ts');

type Inputs = Readonly<Record<string, InputSpec>>;
type Hidden = Readonly<Record<string, HiddenSpec>>;

/** What hidden inputs hold. */
export interface HiddenTypes {
  PROMPT: Prompt;
  DYNPROMPT: DynamicPromptView | null;
  EXTRA_PNGINFO: Readonly<Record<string, Json>> | null;
  UNIQUE_ID: string;
  AUTH_TOKEN_COMFY_ORG: string | null;
  API_KEY_COMFY_ORG: string | null;
  COMFY_USAGE_SOURCE: string | null;
  EXECUTION_LIST: unknown;
}

/** The argument `run` receives for a set of declared inputs. */
export type InputValues<I extends Inputs> = {
  [K in keyof I]: I[K] extends InputSpec<infer T, infer Optional>
    ? Optional extends true
      ? T | undefined
      : T
    : never;
};

/** The same for hidden inputs; those that only expansions set may be anything. */
export type HiddenValues<H extends Hidden> = {
  [K in keyof H]: H[K] extends HiddenKind ? HiddenTypes[H[K]] : unknown;
};

type Lists<V> = { [K in keyof V]: readonly V[K][] };
type Loose<V> = { readonly [K in keyof V]?: V[K] | null };
type Declared<I extends Inputs, H extends Hidden> = InputValues<I> & HiddenValues<H>;
/** Undeclared inputs, of nodes that accept all. */
type Others<A extends boolean> = A extends true ? Record<string, unknown> : unknown;
type Given<
  I extends Inputs,
  H extends Hidden,
  L extends boolean,
  A extends boolean,
> = (L extends true ? Lists<Declared<I, H>> : Declared<I, H>) & Others<A>;

/** The parts of a definition that its inputs give their types. */
interface Behaviour<I extends Inputs, H extends Hidden, L extends boolean, A extends boolean> {
  readonly inputs: I;
  readonly hidden?: H;
  /** INPUT_IS_LIST: one call with a list per input. */
  readonly inputIsList?: L;
  readonly acceptAllInputs?: A;
  isChanged?(inputs: Loose<Given<I, H, L, A>>, context: Context): unknown;
  checkLazy?(
    inputs: Loose<Given<I, H, L, A>>,
    context: Context,
  ): readonly string[] | Promise<readonly string[]>;
  run(inputs: Given<I, H, L, A>, context: Context): NodeResult | Promise<NodeResult>;
}

type Description = Omit<
  NodeDefinition<Services>,
  keyof Behaviour<Inputs, Hidden, boolean, boolean>
>;

/** A node definition whose `run` is typed by its declared and hidden inputs. */
export type TypedNode<
  I extends Inputs,
  H extends Hidden = Record<never, never>,
  L extends boolean = false,
  A extends boolean = false,
> = Description & Behaviour<I, H, L, A>;

/** Declares a node; `run` is typed by the declared and hidden inputs. */
export function defineNode<
  const I extends Inputs,
  const H extends Hidden = Record<never, never>,
  const L extends boolean = false,
  const A extends boolean = false,
>(node: TypedNode<I, H, L, A>): NodeDefinition {
  return node;
}

/** What the nodes of one file may have in common beside their module and form. */
type Shared = Partial<Pick<Description, 'category' | 'outputs' | 'outputNode' | 'experimental'>>;

/** A description without the parts that are shared, which may be stated all the same. */
type Rest<S> = Omit<Description, 'module' | 'form' | keyof S> &
  Partial<Pick<Description, keyof S & keyof Description>>;

/**
 * `defineNode` for the nodes of one of ComfyUI's modules: fills in `module`, `form` and what they
 * share; a node's own fields come first.
 */
export function inModule<const S extends Shared = Record<never, never>>(
  module: string,
  form: NodeDefinition['form'],
  shared?: S,
) {
  return function define<
    const I extends Inputs,
    const H extends Hidden = Record<never, never>,
    const L extends boolean = false,
    const A extends boolean = false,
  >(node: Rest<S> & Behaviour<I, H, L, A>): NodeDefinition {
    return { module, form, ...shared, ...node } as unknown as NodeDefinition;
  };
}

type Options = Readonly<Record<string, unknown>>;

/**
 * A socket of any type, with no widget. `options` undefined prints `["TYPE"]` in V1 form. `needs` says
 * what `run` relies on; without it anything may come, null included.
 */
export function socket<T = unknown>(
  type: string,
  options?: Options,
  needs?: Needs,
): InputSpec<T, false> {
  const lazy = options?.lazy === true ? true : undefined;
  const rawLink = options?.rawLink === true ? true : undefined;
  return { type, options, optional: false, needs, lazy, rawLink };
}

/** The same input, not required. */
export function optional<T>(spec: InputSpec<T, boolean>): InputSpec<T, true> {
  return { ...spec, optional: true };
}

/** The same input, where None (`null`) is a value too. */
export function nullable<T, O extends boolean>(spec: InputSpec<T, O>): InputSpec<T | null, O> {
  return { ...spec, nullable: true };
}

const widget = <T>(type: string, options: Options | undefined): InputSpec<T, false> => ({
  type,
  options,
  optional: false,
  needs: 'value',
});

/** Integer widget within ±2^53; `run` gets a number. */
export const int = (options: Options = {}): InputSpec<number, false> => widget('INT', options);

/** Integer widget up to 64 bits (seeds); `run` gets a number, or a bigint beyond 2^53. */
export const int64 = (options: Options = {}): InputSpec<number | bigint, false> =>
  widget('INT', options);

/**
 * Float widget. Whole-number defaults, minima, maxima and steps are printed as floats (`8.0`); where
 * ComfyUI prints an integer, give a bigint (`min: 0n`).
 */
export const float = (options: Options = {}): InputSpec<number, false> => widget('FLOAT', options);

export const string = (options?: Options): InputSpec<string, false> => widget('STRING', options);

export const boolean = (options: Options = {}): InputSpec<boolean, false> =>
  widget('BOOLEAN', options);

/** A choice from a list; the list may depend on the files at hand. */
export function combo<const T extends ComboChoice = string>(
  choices: readonly T[] | ((source: ChoiceSource) => readonly T[]),
  options?: Options,
): InputSpec<T, false> {
  return { ...widget<T>('COMBO', options), choices };
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

/** The same input, to which 5.0 is not 5: floats come as `Float`, also from the wires of FLOAT outputs. */
export function keepFloats<T, O extends boolean>(spec: InputSpec<T, O>): InputSpec<T, O> {
  return { ...spec, keepsFloats: true };
}

export const model = (options?: Options): InputSpec<Model, false> => socket('MODEL', options, []);
/** Null where a checkpoint holds no text encoder. */
export const clip = (options?: Options): InputSpec<Clip | null, false> =>
  nullable(socket<Clip>('CLIP', options, []));
/** Null where a checkpoint holds no autoencoder. */
export const vae = (options?: Options): InputSpec<Vae | null, false> =>
  nullable(socket<Vae>('VAE', options, []));
export const conditioning = (options?: Options): InputSpec<Conditioning, false> =>
  socket('CONDITIONING', options, 'list');
export const latent = (options?: Options): InputSpec<Latent, false> =>
  socket('LATENT', options, ['samples']);
export const image = (options?: Options): InputSpec<Image, false> =>
  socket('IMAGE', options, ['shape', 'data']);
export const mask = (options?: Options): InputSpec<Mask, false> =>
  socket('MASK', options, ['shape', 'data']);
