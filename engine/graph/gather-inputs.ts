/** The inputs of a node as lists ("slices"), from constants, links to outputs, and hidden values. */
import { entriesOf, Float, objectOf, toPlain } from '../workflow/lossless-json.ts';
import type { Json } from '../workflow/lossless-json.ts';
import type {
  DynamicPromptView,
  GraphNode,
  HiddenSpec,
  InputSpec,
  NodeDefinition,
  PromptNode,
} from './definition.ts';
import { effectiveInputs } from './dynamic-inputs.ts';
import { toFloat } from '../python/coerce.ts';
import { isLink, linkSlot, linkSource } from './link.ts';
import type { LooseLink } from './link.ts';

/** Input name -> its list of values; most lists have one element. */
export type Slices = Record<string, readonly unknown[]>;

export interface GatheredInputs {
  readonly slices: Slices;
  /** Linked inputs without a value yet; their slice is `[null]`. */
  readonly missing: ReadonlySet<string>;
}

/** What hidden inputs are made of. */
export interface HiddenSource {
  readonly prompt?: DynamicPromptView;
  readonly extraData?: Readonly<Record<string, Json>>;
  readonly executionList?: unknown;
}

export interface GatherOptions {
  /** The lists a finished node left, undefined when it has not run; left out: all links are missing. */
  readonly outputsOf?: (nodeId: string) => readonly (readonly unknown[])[] | undefined;
  /** The type that the output at a link's start declares. */
  readonly typeOf?: (link: LooseLink) => string | undefined;
  readonly hidden?: HiddenSource;
  /** 'plain' (default): numbers as `run` gets them; 'typed': only declared FLOATs lose their `Float`. */
  readonly constants?: 'plain' | 'typed';
}

/**
 * All inputs of a node: constants it declares, links (also undeclared ones: variadic nodes), and
 * hidden inputs. Undeclared constants are dropped unless the node accepts all inputs.
 */
export function gatherInputs(
  definition: NodeDefinition,
  node: PromptNode | GraphNode,
  nodeId: string,
  { outputsOf, typeOf, hidden = {}, constants = 'plain' }: GatherOptions = {},
): GatheredInputs {
  const slices = new Map<string, readonly unknown[]>();
  const missing = new Set<string>();
  const declared = effectiveInputs(definition, node.inputs);

  for (const [name, value] of entriesOf(node.inputs)) {
    const spec = ownSpec(declared, name);
    if (isLink(value) && !isRawLink(spec)) {
      const outputs = outputsOf?.(linkSource(value));
      const list = outputs?.[linkSlot(value, outputs.length)];
      if (list === undefined) missing.add(name);
      const asFloats = spec?.keepsFloats === true && typeOf?.(value) === 'FLOAT';
      slices.set(name, (asFloats ? list?.map(floatOf) : list) ?? [null]);
    } else if (isKnown(definition, spec, name)) {
      slices.set(name, [constant(value, spec, constants)]);
    }
  }

  for (const [name, kind] of Object.entries(definition.hidden ?? {})) {
    if (typeof kind === 'string' && ownSpec(declared, name) === undefined) {
      slices.set(name, [hiddenValue(kind, nodeId, hidden)]);
    }
  }
  return { slices: objectOf(slices), missing };
}

/** Whether an input's link itself is the value. */
export const isRawLink = (spec: InputSpec | undefined): boolean =>
  spec?.rawLink === true || spec?.options?.rawLink === true;

/** Whether an input is only evaluated when the node asks for it. */
export const isLazy = (spec: InputSpec | undefined): boolean =>
  spec?.lazy === true || spec?.options?.lazy === true;

/** The spec of a declared input; names such as `constructor` are no inputs by accident. */
export const ownSpec = (
  inputs: Readonly<Record<string, InputSpec>>,
  name: string,
): InputSpec | undefined => (Object.hasOwn(inputs, name) ? inputs[name] : undefined);

const isKnown = (definition: NodeDefinition, spec: InputSpec | undefined, name: string): boolean =>
  spec !== undefined ||
  definition.acceptAllInputs === true ||
  Object.hasOwn(definition.hidden ?? {}, name);

function constant(
  value: unknown,
  spec: InputSpec | undefined,
  constants: 'plain' | 'typed',
): unknown {
  if (spec?.keepsFloats === true) return value;
  if (constants === 'typed') {
    return spec?.type === 'FLOAT' && value instanceof Float ? value.value : value;
  }
  return holdsFloat(value, 0) ? toPlain(value as Json) : value;
}

const floatOf = (value: unknown): unknown => (typeof value === 'number' ? toFloat(value) : value);

/** Whether a value made of lists and plain objects holds a `Float`; other objects are left alone. */
function holdsFloat(value: unknown, depth: number): boolean {
  if (value instanceof Float) return true;
  if (value === null || typeof value !== 'object' || depth > 512) return false;
  if (Array.isArray(value)) return value.some((item) => holdsFloat(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).some((item) => holdsFloat(item, depth + 1));
}

function hiddenValue(
  kind: HiddenSpec & string,
  nodeId: string,
  { prompt, extraData = {}, executionList = null }: HiddenSource,
): unknown {
  switch (kind) {
    case 'PROMPT':
      return prompt?.originalPrompt ?? {};
    case 'DYNPROMPT':
      return prompt ?? null;
    case 'UNIQUE_ID':
      return nodeId;
    case 'EXECUTION_LIST':
      return executionList;
    case 'EXTRA_PNGINFO':
    case 'AUTH_TOKEN_COMFY_ORG':
    case 'API_KEY_COMFY_ORG':
    case 'COMFY_USAGE_SOURCE':
      return extraData[kind.toLowerCase()] ?? null;
  }
}
