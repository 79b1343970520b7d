/** Node definitions as ComfyUI's `/object_info` prints them, in the V1 and the V3 form. */
import { Float } from '../workflow/lossless-json.ts';
import type {
  ChoiceSource,
  ComboChoice,
  DynamicSpec,
  InputSpec,
  NodeDefinition,
  NodeRegistry,
} from './definition.ts';
import type { WireType } from './types-match.ts';

export type NodeInfo = Record<string, unknown>;

type Form = NodeDefinition['form'];
type Inputs = Readonly<Record<string, InputSpec>>;

/** All nodes; a node whose choices cannot be listed is left out and handed to `onError`. */
export function objectInfo(
  nodes: NodeRegistry,
  source: ChoiceSource,
  onError: (name: string, error: unknown) => void = () => undefined,
): Record<string, NodeInfo> {
  const info: Record<string, NodeInfo> = {};
  for (const [name, definition] of nodes) {
    try {
      info[name] = nodeInfo(definition, source);
    } catch (error) {
      onError(name, error);
    }
  }
  return info;
}

/** One node, keys in ComfyUI's order; write it with `stringifyJson` so that `8.0` stays a float. */
export function nodeInfo(definition: NodeDefinition, source: ChoiceSource): NodeInfo {
  return definition.form === 'v3' ? v3Info(definition, source) : v1Info(definition, source);
}

function v1Info(definition: NodeDefinition, source: ChoiceSource): NodeInfo {
  const { outputs } = definition;
  return {
    ...inputInfo(definition, source),
    is_input_list: definition.inputIsList ?? false,
    ...outputInfo(definition),
    name: definition.name,
    display_name: definition.displayName ?? definition.name,
    description: definition.description ?? '',
    python_module: definition.module,
    category: definition.category,
    output_node: definition.outputNode ?? false,
    has_intermediate_output: definition.hasIntermediateOutput ?? false,
    ...(outputs.some((output) => output.tooltip !== undefined)
      ? { output_tooltips: outputs.map((output) => output.tooltip ?? '') }
      : {}),
    ...(definition.deprecated === true ? { deprecated: true } : {}),
    ...(definition.experimental === true ? { experimental: true } : {}),
    ...(definition.devOnly === true ? { dev_only: true } : {}),
    ...(definition.apiNode === undefined ? {} : { api_node: definition.apiNode }),
    search_aliases: definition.searchAliases ?? [],
    ...(definition.essentialsCategory === undefined
      ? {}
      : { essentials_category: definition.essentialsCategory }),
  };
}

function v3Info(definition: NodeDefinition, source: ChoiceSource): NodeInfo {
  const { outputs } = definition;
  return {
    ...inputInfo(definition, source),
    is_input_list: definition.inputIsList ?? false,
    ...outputInfo(definition),
    output_tooltips: outputs.map((output) => output.tooltip ?? null),
    output_matchtypes: outputs.some((output) => output.matchType !== undefined)
      ? outputs.map((output) => output.matchType ?? null)
      : null,
    name: definition.name,
    display_name: definition.displayName ?? null,
    description: definition.description ?? '',
    python_module: definition.module,
    category: definition.category,
    output_node: definition.outputNode ?? false,
    deprecated: definition.deprecated ?? false,
    experimental: definition.experimental ?? false,
    dev_only: definition.devOnly ?? false,
    api_node: definition.apiNode ?? false,
    price_badge: null,
    search_aliases: definition.searchAliases ?? null,
    essentials_category: definition.essentialsCategory ?? null,
    has_intermediate_output: definition.hasIntermediateOutput ?? false,
  };
}

function inputInfo(definition: NodeDefinition, source: ChoiceSource): NodeInfo {
  const input: Record<string, Record<string, unknown>> = { required: {} };
  for (const [name, spec] of Object.entries(definition.inputs)) {
    (input[spec.optional ? 'optional' : 'required'] ??= {})[name] = printInput(
      spec,
      definition.form,
      source,
    );
  }
  for (const [name, hidden] of Object.entries(definition.hidden ?? {})) {
    (input.hidden ??= {})[name] =
      definition.form === 'v3' && typeof hidden === 'string' ? [hidden] : hidden;
  }
  const order = Object.entries(input).map(([kind, names]) => [kind, Object.keys(names)]);
  return { input, input_order: Object.fromEntries(order) as unknown };
}

const outputInfo = ({ outputs }: NodeDefinition): NodeInfo => ({
  output: outputs.map((output) => output.type),
  output_is_list: outputs.map((output) => (output.list === undefined ? false : output.list)),
  output_name: outputs.map((output) => output.name ?? output.type),
});

/** An input as its `[type]` or `[type, options]` entry. */
export function printInput(spec: InputSpec, form: Form, source: ChoiceSource): unknown[] {
  const type = wireType(spec, form, source);
  const options = printOptions(spec, form, source);
  return options === undefined ? [type] : [type, options];
}

/** The type links are compared with: the name, or the list of choices of a legacy (V1) combo. */
export function wireType(spec: InputSpec, form: Form, source: ChoiceSource): WireType {
  return form === 'v1' && spec.type === 'COMBO' && spec.choices !== undefined
    ? choicesOf(spec, source)
    : spec.type;
}

/** The choices of a combo, listed now. */
export function choicesOf(spec: InputSpec, source: ChoiceSource): readonly ComboChoice[] {
  if (typeof spec.choices === 'function') return spec.choices(source);
  return spec.choices ?? ((spec.options?.options ?? []) as readonly ComboChoice[]);
}

function printOptions(
  spec: InputSpec,
  form: Form,
  source: ChoiceSource,
): Record<string, unknown> | undefined {
  if (spec.dynamic !== undefined) {
    return { ...spec.options, ...dynamicOptions(spec.dynamic, form, source) };
  }
  if (form === 'v1') return spec.options && floats(spec.type, spec.options);
  const options: Record<string, unknown> = { ...spec.options };
  if (spec.type === 'STRING') options.multiline ??= false;
  if (spec.type === 'COMBO') {
    options.multiselect ??= false;
    if (spec.choices !== undefined) options.options = choicesOf(spec, source);
  }
  return floats(spec.type, inV3Order(options));
}

const NUMBER_OPTIONS = ['default', 'min', 'max', 'step', 'round'];

/** Whole numbers of FLOAT options become floats (`8.0`); a bigint stays an integer. */
export function floats(
  type: string,
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (type !== 'FLOAT') return options;
  const printed: Record<string, unknown> = { ...options };
  for (const key of NUMBER_OPTIONS) {
    const value = printed[key];
    if (typeof value === 'number' && Number.isInteger(value)) printed[key] = new Float(value);
  }
  return printed;
}

const V3_ORDER = [
  'display_name tooltip lazy rawLink advanced',
  'default socketless widgetType forceInput',
  'min max step round label_on label_off multiline placeholder dynamicPrompts',
  'multiselect options control_after_generate display',
  'image_upload audio_upload video_upload file_upload image_folder remote',
  'multi_select chip template component',
]
  .join(' ')
  .split(' ');

/**
 * V3 inputs print their options in the order of their classes, whatever the author's order; those that the author
 * gives as `extra_dict` stand before all of them.
 */
function inV3Order({
  extra_dict: extra,
  ...options
}: Record<string, unknown>): Record<string, unknown> {
  const rank = (key: string): number => {
    const at = V3_ORDER.indexOf(key);
    return at < 0 ? 4.5 : at; // an author's own keys stand before 'default'
  };
  const sorted = Object.entries(options).sort(([a], [b]) => rank(a) - rank(b));
  return { ...(extra as Record<string, unknown> | undefined), ...Object.fromEntries(sorted) };
}

function dynamicOptions(
  dynamic: DynamicSpec,
  form: Form,
  source: ChoiceSource,
): Record<string, unknown> {
  const group = (inputs: Inputs): Record<string, unknown> => {
    const printed: Record<string, Record<string, unknown>> = { required: {} };
    for (const [name, spec] of Object.entries(inputs)) {
      const kind = spec.optional ? 'optional' : 'required';
      (printed[kind] ??= {})[name] = printInput(spec, form, source);
    }
    return printed;
  };
  switch (dynamic.kind) {
    case 'autogrow': {
      const [id, spec] = dynamic.template;
      const input = {
        [spec.optional ? 'optional' : 'required']: { [id]: printInput(spec, form, source) },
      };
      const { names, min } = dynamic;
      return {
        template:
          'prefix' in names
            ? { input, prefix: names.prefix, min, max: names.max }
            : { input, names, min },
      };
    }
    case 'combo':
      return {
        options: dynamic.choices.map(({ key, inputs }) => ({ key, inputs: group(inputs) })),
      };
    case 'slot':
      return {
        slotType: dynamic.slotType,
        inputs: group(dynamic.inputs),
        ...(dynamic.forceInput === undefined ? {} : { forceInput: dynamic.forceInput }),
      };
    case 'group':
      return {
        template: group(dynamic.template),
        min: dynamic.min,
        max: dynamic.max,
        ...(dynamic.groupName === undefined ? {} : { group_name: dynamic.groupName }),
      };
  }
}
