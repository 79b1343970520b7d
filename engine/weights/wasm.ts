/**
 * A writer of small WebAssembly modules (the format of the WebAssembly core specification 2.0): what a
 * loop over numbers needs of 128-bit vectors, and no more. Every function here gives the code of an
 * expression or a statement; a module is made of functions that return nothing and share one memory.
 */

/** Instructions, as bytes. */
export type Code = readonly number[];

/** A parameter or variable of a function. */
export interface Local {
  readonly get: Code;
  readonly set: (value: Code) => Code;
}

/** Makes the variables of a function. */
export interface Locals {
  readonly int: () => Local;
  readonly vector: () => Local;
}

export interface WasmFunction {
  readonly parameters: number;
  /** Type of each variable behind the parameters. */
  readonly variables: readonly number[];
  readonly body: Code;
}

const intType = 0x7f;
const vectorType = 0x7b;

/** A function of `parameters` whole numbers. */
export function wasmFunction(
  parameters: number,
  build: (parameters: readonly Local[], locals: Locals) => Code,
): WasmFunction {
  const variables: number[] = [];
  const variable = (type: number): Local => local(parameters + variables.push(type) - 1);
  const given = Array.from({ length: parameters }, (_, index) => local(index));
  const body = build(given, { int: () => variable(intType), vector: () => variable(vectorType) });
  return { parameters, variables, body };
}

/** A module that exports the functions by their names, and its memory as `memory`. */
export function wasmModule(
  functions: Readonly<Record<string, WasmFunction>>,
): Uint8Array<ArrayBuffer> {
  const named = Object.entries(functions);
  const all = named.map(([, facts]) => facts);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      all.map(({ parameters }) => [
        0x60,
        ...list(Array.from({ length: parameters }, () => [intType])),
        0,
      ]),
    ),
    ...section(
      3,
      all.map((_, index) => unsigned(index)),
    ),
    ...section(5, [[0, 1]]), // one memory, of a page or more
    ...section(7, [
      [...text('memory'), 2, 0],
      ...named.map(([name], index) => [...text(name), 0, ...unsigned(index)]),
    ]),
    ...section(
      10,
      all.map(({ variables, body }) =>
        sized([...list(variables.map((type) => [1, type])), ...body, end]),
      ),
    ),
  ]);
}

const end = 0x0b;

export const sequence = (...codes: readonly Code[]): Code => codes.flat();

/** Runs `body` once, and again as long as `counter`, lowered by `step` each time, is above 0. */
export function countDown(counter: Local, step: number, body: Code): Code {
  const lowered = [...counter.get, ...int(step), 0x6b];
  return [
    0x03,
    0x40,
    ...body,
    ...counter.set(lowered),
    ...counter.get,
    ...int(0),
    0x4a,
    0x0d,
    0,
    end,
  ];
}

/** A whole number. */
export const int = (value: number): Code => [0x41, ...signed(value)];
export const addInt = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const loadInt = (at: Code, offset = 0): Code => [...at, 0x28, 0, ...unsigned(offset)];
export const advance = (local: Local, by: Code): Code => local.set(addInt(local.get, by));

const simd = (operation: number): Code => [0xfd, ...unsigned(operation)];
const unary =
  (operation: number) =>
  (a: Code): Code => [...a, ...simd(operation)];
const binary =
  (operation: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(operation)];
const load =
  (operation: number) =>
  (at: Code, offset = 0): Code => [...at, ...simd(operation), 0, ...unsigned(offset)];

/** Four 32-bit numbers. */
export const loadVector = load(0x00);
/** Four 16-bit codes as 32-bit whole numbers. */
export const loadCodes = load(0x04);
/** One 32-bit number and zeros. */
export const loadFirst = load(0x5c);
/** `vector` with its second 32-bit number from memory. */
export const loadSecond = (at: Code, vector: Code, offset = 0): Code => [
  ...at,
  ...vector,
  ...simd(0x56),
  0,
  ...unsigned(offset),
  1,
];
export const storeVector = (at: Code, value: Code, offset = 0): Code => [
  ...at,
  ...value,
  ...simd(0x0b),
  0,
  ...unsigned(offset),
];
/** The first two 32-bit numbers. */
export const storePair = (at: Code, value: Code): Code => [...at, ...value, ...simd(0x5b), 0, 0, 0];
/** The first 32-bit number. */
export const storeFirst = (at: Code, value: Code): Code => [
  ...at,
  ...value,
  ...simd(0x5a),
  0,
  0,
  0,
];
/** The same whole number four times. */
export const splat = (value: number): Code => [...int(value), ...simd(0x11)];
/** The same double twice. */
export const splatDouble = (value: number): Code => [
  0x44,
  ...new Uint8Array(Float64Array.of(value).buffer),
  ...simd(0x14),
];
/** 32-bit numbers of two vectors by their places: 0 to 3 in `a`, 4 to 7 in `b`. */
export const shuffle = (a: Code, b: Code, places: readonly number[]): Code => [
  ...a,
  ...b,
  ...simd(0x0d),
  ...places.flatMap((place) => [0, 1, 2, 3].map((byte) => place * 4 + byte)),
];
/** The upper halves of the 32-bit numbers of two vectors, as eight 16-bit codes. */
export const upperCodes = (a: Code, b: Code): Code => [
  ...a,
  ...b,
  ...simd(0x0d),
  ...Array.from({ length: 8 }, (_, place) => [place * 4 + 2, place * 4 + 3]).flat(),
];
export const shiftLeft = (a: Code, bits: number): Code => [...a, ...int(bits), ...simd(0xab)];
export const and = binary(0x4e);
export const or = binary(0x50);
/** Bits of `a` where `mask` has ones, else those of `b`. */
export const select = (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...simd(0x52)];
/** All ones where a < b, as signed whole numbers. */
export const less = binary(0x39);
export const addInts = binary(0xae);
export const absoluteFloats = unary(0xe0);
export const subtractFloats = binary(0xe5);
export const multiplyFloats = binary(0xe6);
/** The larger ones; NaN where one of both is. */
export const largerFloats = binary(0xe9);
/** The nearest whole numbers, of two as near the even one. */
export const roundFloats = unary(0x6a);
/** Floats without their fractions as whole numbers; NaN as 0. */
export const toInts = unary(0xf8);
/** Four whole numbers as the first four bytes, signed, held at what fits. */
export const toBytes = (a: Code): Code => [
  ...a,
  ...splat(0),
  ...simd(0x85),
  ...splat(0),
  ...simd(0x65),
];
export const addDoubles = binary(0xf0);
export const subtractDoubles = binary(0xf1);
export const multiplyDoubles = binary(0xf2);
/** The first two 32-bit floats as doubles. */
export const toDoubles = unary(0x5f);
/** Two doubles as 32-bit floats, and zeros. */
export const toFloats = unary(0x5e);

const local = (index: number): Local => ({
  get: [0x20, ...unsigned(index)],
  set: (value) => [...value, 0x21, ...unsigned(index)],
});

const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(list(items))];
const text = (name: string): Code => sized([...new TextEncoder().encode(name)]);

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  if (value >= -64 && value < 64) return [value & 0x7f];
  return [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
