/** Constants as nodes, and the node that shows anything as text. */
import {
  Float,
  boolean,
  defineNode,
  float,
  int,
  int64,
  keepFloats,
  pythonRepr,
  pythonStr,
  socket,
  string,
} from '../engine/node.ts';
import type { InputSpec, NodeDefinition } from '../engine/node.ts';
import { isPlain } from '../engine/python/plain.ts';
import { stringifyJson } from '../engine/workflow/lossless-json.ts';
import type { StringifyOptions } from '../engine/workflow/lossless-json.ts';

/** Pixels. */
const place = (fallback: number, min: number) => int({ default: fallback, min, max: 16384 });

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
  inputs: { source: keepFloats(socket('*', {})) },
  outputs: [{ type: 'STRING' }],
  outputNode: true,
  // Clients see the line that they always saw; the output, which came with 0.33, has its form.
  run: ({ source }) => ({
    result: [shown(source, { indent: 4, ascii: false })],
    ui: { text: [shown(source)] },
  }),
});

/** Numbers as Python prints them, what JSON can hold as JSON, the rest by its shape or class. */
function shown(value: unknown, form: StringifyOptions = {}): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value !== 'object' || value instanceof Float) return pythonStr(value);
  if (isPlain(value)) return stringifyJson(value, form);
  if ('shape' in value && Array.isArray(value.shape))
    return `array of shape ${pythonRepr(value.shape)}`;
  return `<${value.constructor?.name ?? 'object'}>`;
}

export const primitiveBoundingBox = defineNode({
  name: 'PrimitiveBoundingBox',
  displayName: 'Bounding Box',
  category: 'utilities/primitive',
  module: 'comfy_extras.nodes_images',
  form: 'v3',
  inputs: { x: place(0, 0), y: place(0, 0), width: place(512, 1), height: place(512, 1) },
  outputs: [{ type: 'BOUNDING_BOX' }],
  run: ({ x, y, width, height }) => [{ x, y, width, height }],
});

export const primitiveNodes: readonly NodeDefinition[] = [
  primitiveString,
  primitiveStringMultiline,
  primitiveInt,
  primitiveFloat,
  primitiveBoolean,
  previewAny,
  primitiveBoundingBox,
];
