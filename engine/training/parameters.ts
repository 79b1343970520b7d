/** What is trained, as one vector: every number of every trained tensor, one tensor behind the other. */

/** A trained tensor, and where its numbers lie. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** The first of its numbers. */
  readonly offset: number;
  readonly size: number;
}

/** All trained tensors, in the order in which an optimiser goes through them. */
export interface ParameterLayout {
  readonly list: readonly Parameter[];
  /** Numbers of all together. */
  readonly size: number;
}

/** Lays tensors out one behind the other. */
export function layOut(
  tensors: Iterable<readonly [name: string, shape: readonly number[]]>,
): ParameterLayout {
  const list: Parameter[] = [];
  let offset = 0;
  for (const [name, shape] of tensors) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    list.push({ name, shape, offset, size });
    offset += size;
  }
  return { list, size: offset };
}

/** The numbers of one tensor in a vector of all: a view, not a copy. */
export const numbersOf = (all: Float32Array, { offset, size }: Parameter): Float32Array =>
  all.subarray(offset, offset + size);
