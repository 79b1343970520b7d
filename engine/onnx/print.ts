/** An ONNX model as text, for reading and for tests that pin what lowering produces. */
import type { Attribute, Initializer, OnnxModel, OnnxValue } from './model.ts';

/** One line per input, constant, node and output, in the model's order. */
export function printModel(model: OnnxModel): string {
  const lines = [
    `model ${model.name}`,
    ...model.inputs.map((input) => `input ${valueText(input)}`),
    ...model.initializers.map((initializer) => `constant ${initializerText(initializer)}`),
    ...model.nodes.map((node) => {
      const attributes = Object.entries(node.attributes);
      const shown = attributes.map(([name, value]) => `${name}=${attributeText(value)}`);
      const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`;
      const inputs = node.inputs.map((name) => name || '-').join(', ');
      return `${node.outputs.join(', ')} = ${op}(${inputs})${shown.length ? ` {${shown.join(', ')}}` : ''}`;
    }),
    ...model.outputs.map((output) => `output ${valueText(output)}`),
  ];
  return `${lines.join('\n')}\n`;
}

const valueText = ({ name, dtype, shape }: OnnxValue): string =>
  `${name} : ${dtype}[${shape.join(', ')}]`;

function initializerText(initializer: Initializer): string {
  if ('entry' in initializer) return `${valueText(initializer)} (${initializer.layout.kind})`;
  const { dtype, data } = initializer;
  if (dtype !== 'i64') return `${valueText(initializer)} (${data.byteLength} bytes)`;
  const values = new BigInt64Array(data.buffer, data.byteOffset, data.byteLength / 8);
  return `${valueText(initializer)} = [${Array.from(values).join(', ')}]`;
}

function attributeText(value: Attribute): string {
  const [content] = Object.values(value) as (number | string | readonly number[])[];
  return typeof content === 'object' ? `[${content.join(', ')}]` : String(content);
}
