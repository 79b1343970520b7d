/** Where the symbolic sizes of a program come from: the shapes of the inputs it is given. */
import { NoodleError } from '../errors.ts';
import { type Bindings, asLinear, evalShape, unknownSymbol } from './shape.ts';
import type { Input } from './ops/leaves.ts';

/** An axis of an input from which a size is read: it is `factor * size + offset` long. */
export interface SizeOrigin {
  readonly input: Input;
  readonly axis: number;
  readonly factor: number;
  readonly offset: number;
}

/** Where each size is read, by its text. */
export type SizeOrigins = ReadonlyMap<string, SizeOrigin>;

/**
 * For the symbols and quotients of the inputs' sizes, by their texts, the first axis that determines
 * each; whole sizes, such as a product of two, only where they do not follow from those. A program in
 * the middle of a network knows `(height + 1)//2` this way without knowing `height`.
 */
export function sizeOrigins(inputs: readonly Input[]): SizeOrigins {
  const origins = new Map<string, SizeOrigin>();
  for (const input of inputs) {
    input.shape.forEach((dim, axis) => {
      const form = asLinear(dim);
      if (form && !origins.has(form.name)) origins.set(form.name, { input, axis, ...form });
    });
  }
  for (const input of inputs) {
    input.shape.forEach((dim, axis) => {
      if (typeof dim === 'number') return;
      const unknown = unknownSymbol(dim, (text) => origins.has(text));
      if (unknown !== undefined) origins.set(dim.text, { input, axis, factor: 1, offset: 0 });
    });
  }
  return origins;
}

/** What a program says of its sizes. */
export interface Sized {
  readonly inputs: readonly Input[];
  readonly sizes: SizeOrigins;
}
type Shaped = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/**
 * The values of the sizes. Throws BAD_INPUT when an input is missing or its shape does not fit, also
 * when two axes that must be equally long are not.
 */
export function bindSizes({ inputs, sizes }: Sized, given: Shaped): Bindings {
  const bindings: Record<string, number> = {};
  for (const [text, { input, axis, factor, offset }] of sizes) {
    const size = shapeOf(input.attrs.name, given)[axis];
    bindings[text] = Math.floor((size - offset) / factor);
  }
  for (const { attrs, shape } of inputs) {
    const got = shapeOf(attrs.name, given);
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
