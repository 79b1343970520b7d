/**
 * Symbolic sizes. A dimension is a number or an integer polynomial over named symbols (batch,
 * height, ...) and floor divisions, kept in a normal form so that equal sizes print the same and
 * can be compared by their text.
 */
import { NoodleError } from '../errors.ts';

/** A symbol, or floor(value / by). */
type Atom =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'floordiv'; readonly value: Dim; readonly by: Dim };

/** factor * (product of atoms); the constant term has no atoms. */
interface Term {
  readonly factor: number;
  readonly atoms: readonly Atom[];
}

/** A polynomial with at least one symbol; `text` is its normal form and its identity. */
export interface SymbolicDim {
  readonly terms: readonly Term[];
  readonly text: string;
}

export type Dim = number | SymbolicDim;
export type Shape = readonly Dim[];
/**
 * Values of the symbols, for evaluating dimensions; where a symbol has none, of the quotients and whole
 * sizes that are known, by their texts.
 */
export type Bindings = Readonly<Record<string, number>>;

/** A named size that is known only when a program runs. */
export function symbol(name: string): SymbolicDim {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw new NoodleError('PROGRAM', { reason: `'${name}' is not a name for a dimension` });
  }
  return { terms: [{ factor: 1, atoms: [{ kind: 'symbol', name }] }], text: name };
}

/** a + b. */
export function addDim(a: Dim, b: Dim): Dim {
  return fromTerms([...termsOf(a), ...termsOf(b)]);
}

/** a - b. */
export function subDim(a: Dim, b: Dim): Dim {
  return addDim(a, mulDim(b, -1));
}

/** a * b. */
export function mulDim(a: Dim, b: Dim): Dim {
  const products = termsOf(a).flatMap((p) =>
    termsOf(b).map((q) => ({ factor: p.factor * q.factor, atoms: [...p.atoms, ...q.atoms] })),
  );
  return fromTerms(products);
}

/**
 * floor(a / b). Whole multiples of b are taken out of every factor, so that sizes reached on
 * different ways meet in one form: (h - 1)//2 + 1 and (h + 1)//2 are the same text.
 */
export function floorDivDim(a: Dim, b: Dim): Dim {
  if (b === 1) return a;
  if (typeof b !== 'number') return sameDim(a, b) ? 1 : (exactQuotient(a, b) ?? floorAtom(a, b));
  const whole = termsOf(a).map((term) => ({ ...term, factor: Math.floor(term.factor / b) }));
  const rest = fromTerms(
    termsOf(a).map((term, i) => ({ ...term, factor: term.factor - whole[i].factor * b })),
  );
  const quotient = fromTerms(whole);
  return typeof rest === 'number' ? quotient : addDim(quotient, floorAtom(rest, b));
}

/** ceil(a / b). */
export function ceilDivDim(a: Dim, b: number): Dim {
  return floorDivDim(addDim(a, b - 1), b);
}

/** Whether two sizes are provably equal. */
export function sameDim(a: Dim, b: Dim): boolean {
  return typeof a === 'number' || typeof b === 'number' ? a === b : a.text === b.text;
}

/** Whether two shapes are provably equal. */
export function sameDims(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]));
}

/** Number of elements of a shape. */
export function sizeOfShape(shape: Shape): Dim {
  return shape.reduce<Dim>((size, dim) => mulDim(size, dim), 1);
}

/** The value of a size once its symbols are known; throws PROGRAM when one is missing. */
export function evalDim(dim: Dim, bindings: Bindings): number {
  if (typeof dim === 'number') return dim;
  const bound = (text: string): boolean => Object.hasOwn(bindings, text);
  if (bound(dim.text) && !symbolsOf(dim).every(bound)) return bindings[dim.text];
  let sum = 0;
  for (const { factor, atoms } of dim.terms) {
    sum += atoms.reduce((product, atom) => product * evalAtom(atom, bindings), factor);
  }
  return sum;
}

/** The concrete shape once its symbols are known. */
export function evalShape(shape: Shape, bindings: Bindings): number[] {
  return shape.map((dim) => evalDim(dim, bindings));
}

/** Names of all symbols in a size, in order of appearance. */
export function symbolsOf(dim: Dim): string[] {
  if (typeof dim === 'number') return [];
  const names = dim.terms.flatMap(({ atoms }) =>
    atoms.flatMap((atom) =>
      atom.kind === 'symbol' ? [atom.name] : [...symbolsOf(atom.value), ...symbolsOf(atom.by)],
    ),
  );
  return [...new Set(names)];
}

/** `batch`, `2*height + 1`, `(height + 1)//2`. */
export function dimText(dim: Dim): string {
  return typeof dim === 'number' ? String(dim) : dim.text;
}

/** `[batch, 4, height, width]`. */
export function shapeText(shape: Shape): string {
  return `[${shape.map(dimText).join(', ')}]`;
}

/**
 * The first symbol of a size that does not follow from the sizes that are known, by their texts;
 * undefined when the size can be told.
 */
export function unknownSymbol(dim: Dim, known: (text: string) => boolean): string | undefined {
  if (typeof dim === 'number' || known(dim.text)) return undefined;
  for (const { atoms } of dim.terms) {
    for (const atom of atoms) {
      if (known(atomText(atom))) continue;
      const unknown =
        atom.kind === 'symbol'
          ? atom.name
          : (unknownSymbol(atom.value, known) ?? unknownSymbol(atom.by, known));
      if (unknown !== undefined) return unknown;
    }
  }
  return undefined;
}

/** factor, atom (a symbol or a quotient, as text) and offset of a size `factor * atom + offset`. */
export function asLinear(dim: Dim): { factor: number; name: string; offset: number } | undefined {
  if (typeof dim === 'number') return undefined;
  const offset = dim.terms.find((term) => term.atoms.length === 0)?.factor ?? 0;
  const rest = dim.terms.filter((term) => term.atoms.length > 0);
  if (rest.length !== 1 || rest[0].atoms.length !== 1) return undefined;
  return { factor: rest[0].factor, name: atomText(rest[0].atoms[0]), offset };
}

function termsOf(dim: Dim): readonly Term[] {
  if (typeof dim !== 'number') return dim.terms;
  return dim === 0 ? [] : [{ factor: dim, atoms: [] }];
}

function fromTerms(terms: readonly Term[]): Dim {
  const byKey = new Map<string, Term>();
  for (const { factor, atoms } of terms) {
    const sorted = [...atoms].sort((a, b) => (atomText(a) < atomText(b) ? -1 : 1));
    const key = sorted.map(atomText).join('*');
    byKey.set(key, { factor: (byKey.get(key)?.factor ?? 0) + factor, atoms: sorted });
  }
  const kept = [...byKey].filter(([, term]) => term.factor !== 0);
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0][0] === '') return kept[0][1].factor;
  // longest product first, then by text, the constant last
  kept.sort(([a, p], [b, q]) => q.atoms.length - p.atoms.length || (a < b ? -1 : 1));
  const sorted = kept.map(([, term]) => term);
  return { terms: sorted, text: sumText(sorted) };
}

function sumText(terms: readonly Term[]): string {
  let text = '';
  terms.forEach(({ factor, atoms }, i) => {
    const size = Math.abs(factor);
    const alone = atoms.length === 1 && size === 1;
    const product = atoms.map((atom) => factorText(atom, alone)).join('*');
    const body = product === '' ? String(size) : size === 1 ? product : `${size}*${product}`;
    text += i === 0 ? (factor < 0 ? `-${body}` : body) : factor < 0 ? ` - ${body}` : ` + ${body}`;
  });
  return text;
}

/** A floor division inside a product is put in brackets. */
function factorText(atom: Atom, alone: boolean): string {
  return alone || atom.kind === 'symbol' ? atomText(atom) : `(${atomText(atom)})`;
}

function atomText(atom: Atom): string {
  if (atom.kind === 'symbol') return atom.name;
  const side = (dim: Dim) => (/^\w+$/.test(dimText(dim)) ? dimText(dim) : `(${dimText(dim)})`);
  return `${side(atom.value)}//${side(atom.by)}`;
}

function floorAtom(value: Dim, by: Dim): Dim {
  // floor(floor(x / a) / b) = floor(x / (a * b))
  const [term] = termsOf(value);
  if (typeof value !== 'number' && value.terms.length === 1 && term.factor === 1) {
    const [atom, ...others] = term.atoms;
    if (atom.kind === 'floordiv' && others.length === 0) {
      return floorDivDim(atom.value, mulDim(atom.by, by));
    }
  }
  const atom: Atom = { kind: 'floordiv', value, by };
  return { terms: [{ factor: 1, atoms: [atom] }], text: atomText(atom) };
}

/** a / b when b is one product that divides every term of a. */
function exactQuotient(a: Dim, b: SymbolicDim): Dim | undefined {
  if (b.terms.length !== 1) return undefined;
  const [divisor] = b.terms;
  const quotients: Term[] = [];
  for (const term of termsOf(a)) {
    const left = [...term.atoms];
    for (const atom of divisor.atoms) {
      const at = left.findIndex((other) => atomText(other) === atomText(atom));
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    if (term.factor % divisor.factor !== 0) return undefined;
    quotients.push({ factor: term.factor / divisor.factor, atoms: left });
  }
  return fromTerms(quotients);
}

function evalAtom(atom: Atom, bindings: Bindings): number {
  if (atom.kind === 'floordiv') {
    const text = atomText(atom);
    const { value, by } = atom;
    const names = [...symbolsOf(value), ...symbolsOf(by)];
    const whole = names.every((name) => Object.hasOwn(bindings, name));
    if (!whole && Object.hasOwn(bindings, text)) return bindings[text];
    return Math.floor(evalDim(value, bindings) / evalDim(by, bindings));
  }
  if (!Object.hasOwn(bindings, atom.name)) {
    throw new NoodleError('PROGRAM', { reason: `no value for the dimension '${atom.name}'` });
  }
  return bindings[atom.name];
}

/** The number that a size is, where it must be known when tracing. Throws PROGRAM for a symbolic one. */
export function fixedDim(dim: Dim, what: string): number {
  if (typeof dim === 'number') return dim;
  throw new NoodleError('PROGRAM', { reason: `${what} must be known, got ${dimText(dim)}` });
}

/** Product of `shape` over the product of `known`, cancelling equal dimensions before dividing. */
export function quotientDim(shape: Shape, known: readonly Dim[]): Dim {
  const left = [...shape];
  const divisors: Dim[] = [];
  for (const dim of known) {
    const at = left.findIndex((other) => sameDim(other, dim));
    if (at >= 0) left.splice(at, 1);
    else divisors.push(dim);
  }
  const top = left.reduce<Dim>((product, dim) => mulDim(product, dim), 1);
  const bottom = divisors.reduce<Dim>((product, dim) => mulDim(product, dim), 1);
  return divideExactly(top, bottom);
}

function divideExactly(top: Dim, bottom: Dim): Dim {
  const result = typeof bottom === 'number' ? ceilDivDim(top, bottom) : undefined;
  if (result !== undefined && sameDim(mulDim(result, bottom), top)) return result;
  const reason = `cannot tell how many times ${dimText(bottom)} goes into ${dimText(top)}`;
  throw new NoodleError('PROGRAM', { reason });
}
