/**
 * The loops that every number of a large model passes through when it opens, in vectors: written in
 * WebAssembly, as neither the JavaScript engine nor ONNX Runtime's own operators do them in vectors
 * (measured). Places are bytes in the kernels' memory.
 */
import {
  type Code,
  type Local,
  type Locals,
  absoluteFloats,
  addDoubles,
  addInt,
  addInts,
  advance,
  and,
  countDown,
  int,
  largerFloats,
  less,
  loadCodes,
  loadFirst,
  loadInt,
  loadSecond,
  loadVector,
  multiplyDoubles,
  multiplyFloats,
  or,
  roundFloats,
  select,
  sequence,
  shiftLeft,
  shuffle,
  splat,
  splatDouble,
  storeFirst,
  storePair,
  storeVector,
  subtractDoubles,
  subtractFloats,
  toBytes,
  toDoubles,
  toFloats,
  upperCodes,
  toInts,
  wasmFunction,
  wasmModule,
} from './wasm.ts';

/** Kernels read and write up to this many bytes behind what they are asked for. */
export const kernelSlack = 64;

export interface Kernels {
  /** The memory, grown to at least `size` bytes; what was there stays. */
  readonly memory: (size: number) => ArrayBuffer;
  /** `count` (at least 1) half floats at `from` as f32 to `to`; exact. */
  readonly widenHalf: (from: number, to: number, count: number) => void;
  /** The same of bfloat16 codes; whatever 16-bit codes mean, they become the upper halves of 32-bit numbers. */
  readonly widenBfloat: (from: number, to: number, count: number) => void;
  /** The upper halves of `count` (at least 1) 32-bit numbers at `from`, to `to`. */
  readonly upperHalves: (from: number, to: number, count: number) => void;
  /**
   * The transpose of a matrix of f32: `block` rows, a multiple of 4 and `rowBytes` apart, of `columns`
   * numbers, a multiple of 4 too. Column c becomes `block` numbers in a row, at `to` plus the c-th of
   * the 32-bit numbers at `places`.
   */
  readonly transposeTo: (
    from: number,
    to: number,
    places: number,
    rowBytes: number,
    block: number,
    columns: number,
  ) => void;
  /** The largest magnitude of each of `rows` rows of `columns` (a multiple of 4) f32, as f32 to `to`; NaN of a row with one. */
  readonly magnitudes: (from: number, to: number, rows: number, columns: number) => void;
  /**
   * As `transposeTo`, in bytes: each number times the f32 of its row at `factors`, rounded to the nearest, as a
   * signed byte. `places` count in bytes too.
   */
  readonly transposeBytesTo: (
    from: number,
    to: number,
    places: number,
    factors: number,
    rowBytes: number,
    block: number,
    columns: number,
  ) => void;
  /**
   * `count` (at least 1) filters f32 [3, 3] in Winograd's planes for tiles of 2 or 4 (16, 36), `planeBytes`
   * apart. The sums are made in double precision.
   */
  readonly winograd2: (from: number, to: number, planeBytes: number, count: number) => void;
  readonly winograd4: (from: number, to: number, planeBytes: number, count: number) => void;
}

let instance: Kernels | undefined;

/** The kernels of this thread. */
export const kernels = (): Kernels => (instance ??= instantiate());

/** What is used of WebAssembly: the type declarations of Node leave it out. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => void;
}

function instantiate(): Kernels {
  const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: Wasm })
    .WebAssembly;
  const module = new Module(
    wasmModule({
      widenHalf,
      widenBfloat,
      upperHalves,
      transposeTo,
      magnitudes,
      transposeBytesTo,
      winograd2,
      winograd4,
    }),
  );
  const { memory, ...functions } = new Instance(module).exports as Omit<Kernels, 'memory'> & {
    readonly memory: WasmMemory;
  };
  const page = 1 << 16;
  return {
    ...functions,
    memory: (size) => {
      const missing = size - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / page));
      return memory.buffer;
    },
  };
}

/**
 * The fields of a half are moved to their places in an f32, where its exponent counts from 112 lower.
 * Subnormal ones gain the leading one of the smallest normal number, which is then subtracted;
 * infinities and NaN need the largest exponent.
 */
const widenHalf = wasmFunction(3, ([from, to, count], locals) => {
  const code = locals.vector();
  const magnitude = locals.vector();
  const rebias = splat(112 << 23);
  const smallest = splat(113 << 23);
  const isSubnormal = less(magnitude.get, splat(1 << 23));
  const isSpecial = less(splat((31 << 23) - 1), magnitude.get);
  const normal = addInts(addInts(magnitude.get, rebias), and(isSpecial, rebias));
  const subnormal = subtractFloats(addInts(magnitude.get, smallest), smallest);
  const sign = shiftLeft(and(code.get, splat(0x8000)), 16);
  return countDown(
    count,
    4,
    sequence(
      code.set(loadCodes(from.get)),
      magnitude.set(shiftLeft(and(code.get, splat(0x7fff)), 13)),
      storeVector(to.get, or(select(subnormal, normal, isSubnormal), sign)),
      advance(from, int(8)),
      advance(to, int(16)),
    ),
  );
});

/** They are the upper half of an f32. */
const widenBfloat = wasmFunction(3, ([from, to, count]) =>
  countDown(
    count,
    4,
    sequence(
      storeVector(to.get, shiftLeft(loadCodes(from.get), 16)),
      advance(from, int(8)),
      advance(to, int(16)),
    ),
  ),
);

const upperHalves = wasmFunction(3, ([from, to, count]) =>
  countDown(
    count,
    8,
    sequence(
      storeVector(to.get, upperCodes(loadVector(from.get), loadVector(from.get, 16))),
      advance(from, int(32)),
      advance(to, int(16)),
    ),
  ),
);

/**
 * A matrix of f32 by its columns, four rows of four of them at a time: `put` is given what lies in those rows
 * of one of the columns, and `next` moves on to the next rows.
 */
function columnsOf(
  { from, places, rowBytes, block, columns }: Readonly<Record<string, Local>>,
  locals: Locals,
  put: (four: Code, column: number) => Code,
  { begin, next }: { readonly begin: Code; readonly next: Code },
): Code {
  const rows = vectors(locals, 4);
  const halves = vectors(locals, 4);
  const [at, left] = [locals.int(), locals.int()];
  const pair = (a: Local, b: Local, places: readonly number[]): Code =>
    shuffle(a.get, b.get, places);
  const column = [
    pair(halves[0], halves[2], [0, 1, 4, 5]),
    pair(halves[0], halves[2], [2, 3, 6, 7]),
    pair(halves[1], halves[3], [0, 1, 4, 5]),
    pair(halves[1], halves[3], [2, 3, 6, 7]),
  ];
  const fourRows = sequence(
    ...rows.map((row) => sequence(row.set(loadVector(at.get)), advance(at, rowBytes.get))),
    halves[0].set(pair(rows[0], rows[1], [0, 4, 1, 5])),
    halves[1].set(pair(rows[0], rows[1], [2, 6, 3, 7])),
    halves[2].set(pair(rows[2], rows[3], [0, 4, 1, 5])),
    halves[3].set(pair(rows[2], rows[3], [2, 6, 3, 7])),
    ...column.map(put),
    next,
  );
  return countDown(
    columns,
    4,
    sequence(
      at.set(from.get),
      left.set(block.get),
      begin,
      countDown(left, 4, fourRows),
      advance(from, int(16)),
      advance(places, int(16)),
    ),
  );
}

const transposeTo = wasmFunction(6, ([from, to, places, rowBytes, block, columns], locals) => {
  const target = locals.int();
  return columnsOf(
    { from, places, rowBytes, block, columns },
    locals,
    (four, i) => storeVector(addInt(target.get, loadInt(places.get, i * 4)), four),
    { begin: target.set(to.get), next: advance(target, int(16)) },
  );
});

const magnitudes = wasmFunction(4, ([from, to, rows, columns], locals) => {
  const most = locals.vector();
  const left = locals.int();
  const larger = (other: Code): Code => most.set(largerFloats(most.get, other));
  return countDown(
    rows,
    1,
    sequence(
      most.set(splat(0)),
      left.set(columns.get),
      countDown(
        left,
        4,
        sequence(larger(absoluteFloats(loadVector(from.get))), advance(from, int(16))),
      ),
      larger(shuffle(most.get, most.get, [2, 3, 0, 1])),
      larger(shuffle(most.get, most.get, [1, 0, 3, 2])),
      storeFirst(to.get, most.get),
      advance(to, int(4)),
    ),
  );
});

const transposeBytesTo = wasmFunction(
  7,
  ([from, to, places, factors, rowBytes, block, columns], locals) => {
    const [target, factor] = [locals.int(), locals.int()];
    const bytes = (four: Code): Code =>
      toBytes(toInts(roundFloats(multiplyFloats(four, loadVector(factor.get)))));
    return columnsOf(
      { from, places, rowBytes, block, columns },
      locals,
      (four, i) => storeFirst(addInt(target.get, loadInt(places.get, i * 4)), bytes(four)),
      {
        begin: sequence(target.set(to.get), factor.set(factors.get)),
        next: sequence(advance(target, int(4)), advance(factor, int(16))),
      },
    );
  },
);

type Put = (value: Code, row: number) => Code;
/** G g for the three numbers g, each of the results given to `put`. */
type Axis = (g: readonly Local[], scratch: readonly Local[], put: Put) => Code;

/** G on both axes of filters [3, 3], two filters at a time, as a vector holds two doubles. */
const winogradFilters = (patch: number, axis: Axis): ReturnType<typeof wasmFunction> =>
  wasmFunction(4, ([from, to, planeBytes, count], locals) => {
    const target = locals.int();
    const filter = vectors(locals, 9);
    const columns = Array.from({ length: 3 }, () => vectors(locals, patch));
    const plane = locals.vector();
    const scratch = vectors(locals, 4);
    const put: Put = (value) =>
      sequence(
        plane.set(toFloats(value)),
        storePair(target.get, plane.get),
        advance(target, planeBytes.get),
      );
    return countDown(
      count,
      2,
      sequence(
        ...filter.map((tap, i) =>
          tap.set(toDoubles(loadSecond(from.get, loadFirst(from.get, i * 4), 36 + i * 4))),
        ),
        ...columns.map((column, x) =>
          axis([filter[x], filter[x + 3], filter[x + 6]], scratch, (value, a) =>
            column[a].set(value),
          ),
        ),
        target.set(to.get),
        ...Array.from({ length: patch }, (_, a) =>
          axis([columns[0][a], columns[1][a], columns[2][a]], scratch, put),
        ),
        advance(from, int(72)),
        advance(to, int(8)),
      ),
    );
  });

function vectors(locals: Locals, count: number): Local[] {
  return Array.from({ length: count }, () => locals.vector());
}

const times = (a: Code, factor: number): Code => multiplyDoubles(a, splatDouble(factor));

/** G of tiles of 2 is [4, 3]: (1 0 0), 1/2 (1 1 1), 1/2 (1 -1 1), (0 0 1). */
const winograd2 = winogradFilters(4, ([g0, g1, g2], [even, odd], put) =>
  sequence(
    even.set(times(addDoubles(g0.get, g2.get), 0.5)),
    odd.set(times(g1.get, 0.5)),
    put(g0.get, 0),
    put(addDoubles(even.get, odd.get), 1),
    put(subtractDoubles(even.get, odd.get), 2),
    put(g2.get, 3),
  ),
);

/**
 * G of tiles of 4 is [6, 3]: 1/4 (1 0 0), -1/6 (1 1 1), -1/6 (1 -1 1), 1/24 (1 2 4), 1/24 (1 -2 4), (0 0 1);
 * what two rows share is computed once.
 */
const winograd4 = winogradFilters(6, ([g0, g1, g2], [even, odd, wideEven, wideOdd], put) =>
  sequence(
    even.set(times(addDoubles(g0.get, g2.get), -1 / 6)),
    odd.set(times(g1.get, -1 / 6)),
    wideEven.set(addDoubles(times(g0.get, 1 / 24), times(g2.get, 1 / 6))),
    wideOdd.set(times(g1.get, 1 / 12)),
    put(times(g0.get, 0.25), 0),
    put(addDoubles(even.get, odd.get), 1),
    put(subtractDoubles(even.get, odd.get), 2),
    put(addDoubles(wideEven.get, wideOdd.get), 3),
    put(subtractDoubles(wideEven.get, wideOdd.get), 4),
    put(g2.get, 5),
  ),
);
