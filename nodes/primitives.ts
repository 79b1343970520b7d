/** Constants as nodes, and the node that shows anything as text. */
import {
  boolean,
  defineNode,
  float,
  int64,
  pythonRepr,
  pythonStr,
  socket,
  string,
} from '../engine/node.ts';
import type { InputSpec, NodeDefinition } from '../engine/node.ts';
import { stringifyJson } from '../engine/workflow/lossless-json.ts';

const MAX_INT64 = 9223372036854775807n;

const primitive = (
  name: string,
  displayName: string,
  value: InputSpec<unknown, false>,
): NodeDefinition =>
  defineNode({
    name,
    displayName,
    category: 'utils/primitive',
    module: 'comfy_extras.nodes_primitive',
    form: 'v3',
    inputs: { value },
    outputs: [{ type: value.type }],
    run: (inputs) => [inputs.value],
  });

export const primitiveString = primitive('PrimitiveString', 'String', string());

export const primitiveStringMultiline = primitive(
  'PrimitiveStringMultiline',
  'String (Multiline)',
  string({ multiline: true }),
);

export const primitiveInt = primitive(
  'PrimitiveInt',
  'Int',
  int64({ min: -MAX_INT64, max: MAX_INT64, control_after_generate: true }),
);

export const primitiveFloat = primitive(
  'PrimitiveFloat',
  'Float',
  float({ min: -MAX_INT64, max: MAX_INT64 }),
);

export const primitiveBoolean = primitive('PrimitiveBoolean', 'Boolean', boolean());

export const previewAny = defineNode({
  name: 'PreviewAny',
  displayName: 'Preview Any',
  category: 'utils',
  module: 'comfy_extras.nodes_preview_any',
  form: 'v1',
  inputs: { source: socket('*', {}) },
  outputs: [],
  outputNode: true,
  run: ({ source }) => ({ ui: { text: [shown(source)] } }),
});

/** Numbers as Python prints them, what JSON can hold as JSON, the rest by its shape or class. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value !== 'object') return pythonStr(value);
  if (isPlain(value)) return stringifyJson(value);
  if ('shape' in value && Array.isArray(value.shape))
    return `array of shape ${pythonRepr(value.shape)}`;
  return `<${value.constructor?.name ?? 'object'}>`;
}

/** Whether a value is made of lists, plain objects and scalars only. */
function isPlain(value: unknown, depth = 0): boolean {
  if (value === null || typeof value !== 'object') return typeof value !== 'function';
  if (depth > 100) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((item) => isPlain(item, depth + 1));
}

export const primitiveNodes: readonly NodeDefinition[] = [
  primitiveString,
  primitiveStringMultiline,
  primitiveInt,
  primitiveFloat,
  primitiveBoolean,
  previewAny,
];
