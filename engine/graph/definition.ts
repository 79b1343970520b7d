/**
 * What a node is: plain data plus a short function. The graph code knows nothing else about nodes;
 * it never sees tensors. `engine/node.ts` is the face of this file for node authors.
 */
import type { Json } from '../workflow/lossless-json.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { GraphNode, Prompt, PromptNode } from './prompt.ts';

export type { GraphNode, Prompt, PromptNode } from './prompt.ts';

export type ComboChoice = string | number | boolean;

/** What a node definition may ask for when its lists of choices are printed. */
export interface ChoiceSource {
  /** Files of a model folder (`checkpoints`, `loras`, …), sorted relative paths. */
  modelFiles(folder: string): readonly string[];
  /** Folders below a model folder that hold a file of this name; absent where there are no folders. */
  modelDirectories?(folder: string, holding: string): readonly string[];
  /** Top-level files of the input directory of one kind, sorted. */
  inputFiles(kind: 'image' | 'audio' | 'video' | 'latent' | 'any'): readonly string[];
  /** All folders below the input directory as relative paths, sorted; absent where none are at hand. */
  inputFolders?(): readonly string[];
  /** Whether `name`, `name [output]` … is an existing file; absent where no folders are at hand. */
  annotatedExists?(name: string): boolean;
  /** Why a saver could not write under this filename_prefix; undefined when it can. */
  prefixProblem?(prefix: string, suffix: string): string | undefined;
}

/** One declared input. `T` is the type that `run` receives (a phantom: nothing is stored for it). */
export interface InputSpec<T = unknown, Optional extends boolean = boolean> {
  /** `INT`, `FLOAT`, `STRING`, `BOOLEAN`, `COMBO`, or a socket type such as `IMAGE`, `A,B`, `*`. */
  readonly type: string;
  /** Printed as the second element of the input in object_info; absent prints none (V1 only). */
  readonly options?: Readonly<Record<string, unknown>>;
  /** COMBO only. */
  readonly choices?: readonly ComboChoice[] | ((source: ChoiceSource) => readonly ComboChoice[]);
  readonly optional: Optional;
  /** What `run` relies on; absent: it takes anything, null included. */
  readonly needs?: Needs;
  /** None is a value too: what loaders give for a part that a file lacks. */
  readonly nullable?: boolean;
  readonly lazy?: boolean;
  /** Floats come as `Float`, from constants and from FLOAT outputs: 5.0 is not 5 for this input. */
  readonly keepsFloats?: boolean;
  /** The link itself is passed instead of its value. */
  readonly rawLink?: boolean;
  /** An input that stands for several inputs (see dynamic-inputs.ts); `type` is its COMFY_… name. */
  readonly dynamic?: DynamicSpec;
  readonly __value?: T;
}

/**
 * What a value must be: anything but None, a list, or an object with these members. Without it the
 * node fails before it is called, with the input's name.
 */
export type Needs = 'value' | 'list' | readonly string[];

type Inputs = Readonly<Record<string, InputSpec>>;

/** The inputs that stand for several inputs; prompt keys are dotted paths below the input's id. */
export type DynamicSpec =
  /** `<id>.<prefix><n>` (n from 0, at most `max`) or `<id>.<name>`; arrives as `{ name: value }`. */
  | {
      readonly kind: 'autogrow';
      /** The one repeated input; its id only shows in object_info. */
      readonly template: readonly [id: string, spec: InputSpec];
      /** How many are required (when the template is). */
      readonly min: number;
      readonly names: readonly string[] | { readonly prefix: string; readonly max: number };
    }
  /** `<id>` = key of a choice, `<id>.<sub>` its inputs; arrives as `{ [id]: key, sub: value }`. */
  | {
      readonly kind: 'combo';
      readonly choices: readonly { readonly key: string; readonly inputs: Inputs }[];
    }
  /** `<id>` a link; `<id>.<sub>` exist only when it is given; arrives like a combo. */
  | {
      readonly kind: 'slot';
      readonly slotType: string;
      readonly inputs: Inputs;
      readonly forceInput?: boolean;
    }
  /** `<id>.<row>.<field>`; arrives as a list of rows. */
  | {
      readonly kind: 'group';
      readonly template: Inputs;
      readonly min: number;
      readonly max: number;
      readonly groupName?: string;
    };

export type HiddenKind =
  | 'PROMPT'
  | 'DYNPROMPT'
  | 'EXTRA_PNGINFO'
  | 'UNIQUE_ID'
  | 'AUTH_TOKEN_COMFY_ORG'
  | 'API_KEY_COMFY_ORG'
  | 'COMFY_USAGE_SOURCE'
  | 'EXECUTION_LIST';

/**
 * What a node asks for beside its inputs. The tuple form declares an input that only expansions may
 * set (it is neither shown nor validated): its type.
 */
export type HiddenSpec = HiddenKind | readonly [type: string];

export interface OutputSpec {
  readonly type: string | readonly ComboChoice[];
  /** Defaults to the type. */
  readonly name?: string;
  /** OUTPUT_IS_LIST; null prints as such and says no. */
  readonly list?: boolean | null;
  readonly tooltip?: string;
  /** Template id of a COMFY_MATCHTYPE_V3 output. */
  readonly matchType?: string;
}

/** Marks an output as "do not run what depends on me"; with a message the user is told why. */
export class ExecutionBlocker {
  readonly message: string | null;

  constructor(message: string | null) {
    this.message = message;
  }
}

/** A preview picture of a node: raw RGB bytes, row-major, 3 per pixel. */
export interface PreviewImage {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** A finished picture: sent as it is where a preview would be, and never left out as previews may be. */
export interface PictureFile {
  readonly format: 'image/png';
  readonly bytes: Uint8Array;
}

export interface NodeOutput {
  readonly result?: readonly unknown[] | ExecutionBlocker;
  /** What the client is shown, e.g. `{ images: [{ filename, subfolder, type }] }`. */
  readonly ui?: Readonly<Record<string, readonly unknown[]>>;
  /** Nodes that replace this one; `result` may then hold links into them. */
  readonly expand?: Readonly<Record<string, GraphNode>>;
}

export type NodeResult = readonly unknown[] | NodeOutput | ExecutionBlocker;

/** The prompt as it stands now, with the nodes that expansions added (hidden `DYNPROMPT`). */
export interface DynamicPromptView {
  readonly originalPrompt: Prompt;
  /** Throws NodeNotFoundError. */
  getNode(id: string): PromptNode | GraphNode;
  hasNode(id: string): boolean;
  allNodeIds(): string[];
  /** The outermost original node; the node that expanded into this one; the node the user sees. */
  getRealNodeId(id: string): string;
  getParentNodeId(id: string): string | null;
  getDisplayNodeId(id: string): string;
}

/** What a running node may use besides its inputs. */
export interface NodeContext<Services = unknown> {
  readonly nodeId: string;
  readonly promptId: string;
  /** Aborted when the prompt is interrupted; long work checks it and throws NoodleError INTERRUPTED. */
  readonly signal: AbortSignal;
  readonly services: Services;
  /** Which call of the node this is when it is called once per list element; 0 otherwise. */
  readonly callIndex: number;
  /** Kept while a node of this id and class is part of consecutive prompts. */
  readonly state: Map<string, unknown>;
  /** Starts an expansion; the default prefix is `<node id>.<call index>.<graph index>.`. */
  readonly newGraph: (prefix?: string) => GraphBuilder;
  /** ComfyUI's ProgressBar: `progress_state`, the preview, then `progress`. Throws when interrupted. */
  readonly progress: (value: number, max: number, preview?: PreviewImage | PictureFile) => void;
  /** The V3 set_progress: `progress_state` (and a preview for flagged clients) only. */
  readonly setProgress: (
    value: number,
    max: number,
    options?: { nodeId?: string; preview?: PreviewImage },
  ) => void;
  /** Progress text of the node (binary message 3). */
  readonly sendText: (text: string) => void;
  /** Any other websocket message, to the prompt's client (or everybody when it has none). */
  readonly send: (type: string, data: unknown) => void;
}

/** Inputs of IS_CHANGED, VALIDATE_INPUTS and check_lazy_status: linked or unevaluated ones are null. */
export type LooseInputs = Record<string, unknown>;

export interface ValidateSpec {
  /** Parameters the check names (they lose their built-in min/max/list checks); 'all' = **kwargs. */
  readonly inputs: readonly string[] | 'all';
  /** The check also wants `{ linked input: source type }` (switches off link type checks of the node). */
  readonly inputTypes?: boolean;
  /** True is good; false or a text is an error. */
  check(
    inputs: LooseInputs,
    inputTypes: Readonly<Record<string, string>>,
    source: ChoiceSource,
  ): boolean | string | Promise<boolean | string>;
}

/** A class that is gone, and how its nodes become nodes of the definition that names it. */
export interface NodeReplacement {
  readonly oldNode: string;
  /** Names of the old class's widgets in their stored order, for the editor. */
  readonly oldWidgets?: readonly string[];
  /** Where inputs come from; absent: they keep their names. */
  readonly inputs?: readonly (
    { readonly new: string; readonly old: string } | { readonly new: string; readonly set: Json }
  )[];
  /** Which output is which; absent: they keep their places. */
  readonly outputs?: readonly { readonly new: number; readonly old: number }[];
}

export interface NodeDefinition<Services = unknown> {
  readonly name: string;
  readonly displayName?: string | null;
  readonly category: string;
  readonly description?: string;
  /** object_info's `python_module`: `nodes`, `comfy_extras.nodes_x`, `custom_nodes.<pack>`. */
  readonly module: string;
  /** Which of ComfyUI's two forms object_info prints. */
  readonly form: 'v1' | 'v3';
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly hidden?: Readonly<Record<string, HiddenSpec>>;
  readonly outputs: readonly OutputSpec[];
  readonly outputNode?: boolean;
  readonly inputIsList?: boolean;
  readonly acceptAllInputs?: boolean;
  readonly notIdempotent?: boolean;
  readonly hasIntermediateOutput?: boolean;
  readonly deprecated?: boolean;
  readonly experimental?: boolean;
  readonly devOnly?: boolean;
  readonly apiNode?: boolean;
  readonly searchAliases?: readonly string[];
  readonly essentialsCategory?: string;
  /** Old classes that this one stands in for. */
  readonly replaces?: readonly NodeReplacement[];
  /** Python's `async def`: may run beside other nodes. Without it the executor awaits each call. */
  readonly parallel?: boolean;
  readonly validate?: ValidateSpec;
  /** IS_CHANGED / fingerprint_inputs; NaN means "always run". */
  isChanged?(inputs: LooseInputs, context: NodeContext<Services>): unknown;
  /** check_lazy_status: names of lazy inputs that are needed now. */
  checkLazy?(
    inputs: LooseInputs,
    context: NodeContext<Services>,
  ): readonly string[] | Promise<readonly string[]>;
  run(inputs: LooseInputs, context: NodeContext<Services>): NodeResult | Promise<NodeResult>;
}

/** The set of known nodes: class name -> definition, in registration order. */
export type NodeRegistry = ReadonlyMap<string, NodeDefinition>;
