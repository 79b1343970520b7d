/** Values of a program's symbolic sizes, read from the shapes of the inputs it is given. */
import { NoodleError } from '../errors.ts';
import { type Bindings, evalShape } from './shape.ts';
import { type Program, symbolOrigins } from './trace.ts';

type Shaped = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/** The symbols' values; throws BAD_INPUT when an input is missing or its shape does not fit. */
export function bindSymbols(program: Pick<Program, 'inputs'>, inputs: Shaped): Bindings {
  const bindings: Record<string, number> = {};
  for (const [name, { input, axis, factor, offset }] of symbolOrigins(program.inputs)) {
    const size = shapeOf(input.attrs.name, inputs)[axis];
    bindings[name] = Math.floor((size - offset) / factor);
  }
  for (const { attrs, shape } of program.inputs) {
    const got = shapeOf(attrs.name, inputs);
    const expected = evalShape(shape, bindings);
    if (got.length !== expected.length || got.some((dim, i) => dim !== expected[i])) {
      const details = { subject: `input '${attrs.name}'`, expected: `[${expected.join(', ')}]` };
      throw new NoodleError('BAD_INPUT', { ...details, got: `[${got.join(', ')}]` });
    }
  }
  return bindings;
}

function shapeOf(name: string, inputs: Shaped): readonly number[] {
  if (Object.hasOwn(inputs, name)) return inputs[name].shape;
  const subject = `input '${name}'`;
  throw new NoodleError('BAD_INPUT', { subject, expected: 'a tensor', got: 'none' });
}
