/** A program as text: one line per tensor, the same on every machine; what golden dumps compare. */
import type { Program } from './trace.ts';
import { type Dim, dimText, shapeText } from './shape.ts';
import { leafOps } from './ops/leaves.ts';
import { type Op, type Tensor, isOp } from './tensor.ts';

/**
 * `%3 = conv(%0, input_blocks.0.0.weight) {groups: 1, ...} : f32[batch, 320, height, width] @input_blocks.0.0`.
 * Parameters are written by their keys, with dtype and shape in a list at the top.
 */
export function printProgram(program: Program): string {
  const names = new Map<Tensor, string>();
  const lines = [`program ${program.name}`];
  let count = 0;
  for (const tensor of program.nodes) {
    if (isOp(leafOps.param, tensor)) {
      names.set(tensor, tensor.attrs.key);
      lines.push(`param ${tensor.attrs.key} : ${typeText(tensor)}`);
    }
  }
  for (const tensor of program.nodes) {
    if (isOp(leafOps.param, tensor)) continue;
    const name = `%${count++}`;
    names.set(tensor, name);
    const inputs = tensor.inputs.map((input) => names.get(input)).join(', ');
    const scope = tensor.scope === '' ? '' : ` @${tensor.scope}`;
    lines.push(
      `${name} = ${tensor.op.name}(${inputs})${attrsText(tensor)} : ${typeText(tensor)}${scope}`,
    );
  }
  for (const [name, tensor] of Object.entries(program.outputs)) {
    lines.push(`return ${name} = ${names.get(tensor)}`);
  }
  return `${lines.join('\n')}\n`;
}

const typeText = (tensor: Tensor): string => `${tensor.dtype}${shapeText(tensor.shape)}`;

/** Ops whose parameters say the type that stands behind the colon. */
const declaring = new Set<Op>([leafOps.input, leafOps.constant]);

function attrsText(tensor: Tensor): string {
  const implied = declaring.has(tensor.op) ? ['shape', 'dtype'] : [];
  const shown = Object.entries(tensor.attrs as Record<string, unknown>).filter(
    ([key]) => !implied.includes(key),
  );
  if (shown.length === 0) return '';
  return ` {${shown.map(([key, value]) => `${key}: ${valueText(value)}`).join(', ')}}`;
}

function valueText(value: unknown): string {
  if (Array.isArray(value) || value instanceof Float32Array) {
    const items = Array.from(value as ArrayLike<unknown>);
    const shown = items.slice(0, 8).map(valueText);
    return `[${shown.join(', ')}${items.length > 8 ? `, ... ${items.length} in all` : ''}]`;
  }
  return isSymbolic(value) ? dimText(value) : String(value);
}

function isSymbolic(value: unknown): value is Exclude<Dim, number> {
  return typeof value === 'object' && value !== null && 'terms' in value;
}
