/** Lists on wires: made from ranges and lines, measured, indexed, joined. Easy Use, Impact Pack, Comfyroll. */
import {
  boolean,
  combo,
  concat,
  float,
  int,
  mask,
  optional,
  roundHalfEven,
  rows,
  socket,
  string,
  upscaleImage,
} from 'noodle/node';
import type { Latent, Mask, NDArray, NodeDefinition } from 'noodle/node';
import { anything, inCategory } from './define.ts';
import { decimals, isArray, isLatent } from './numbers.ts';

const logic = inCategory('EasyUse/Logic');
const type = inCategory('EasyUse/Logic/Type');
const prompt = inCategory('EasyUse/Prompt');
const impact = inCategory('ImpactPack/Util');
const operation = inCategory('ImpactPack/Operation');

/** The longest list that a range may be. */
const LONGEST = 1_000_000;

function checkLength(count: number): number {
  if (count <= LONGEST) return count;
  throw new RangeError(`range: expected at most ${LONGEST} values, got ${count}`);
}

/** `count` numbers from `start` by `step`. */
const ramp = (start: number, step: number, count: number): number[] =>
  Array.from({ length: checkLength(Math.max(0, count)) }, (_, i) => start + i * step);

interface Range {
  readonly range_mode: string;
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly num_steps: number;
  readonly end_mode: string;
}

/** Whole numbers: Python's `range`, or numpy's `linspace` rounded. An inclusive end is one more. */
function wholeRange({ range_mode, start, stop, step, num_steps, end_mode }: Range): number[] {
  const inclusive = end_mode === 'Inclusive';
  if (range_mode === 'step') {
    if (step === 0) return [start];
    return ramp(start, step, Math.ceil((stop + Number(inclusive) - start) / step));
  }
  const end = inclusive ? stop : stop - (stop > start ? 1 : -1);
  const between = num_steps > 1 ? (end - start) / (num_steps - 1) : 0;
  return ramp(start, between, num_steps).map(roundHalfEven);
}

/** The same in hundredths, which is how finely its numbers are read. */
function decimalRange({ range_mode, num_steps, end_mode, ...given }: Range): number[] {
  const [start, stop, step] = [given.start, given.stop, given.step].map((x) =>
    roundHalfEven(x * 100),
  );
  const inclusive = end_mode === 'Inclusive';
  if (range_mode === 'step') {
    if (step === 0) throw new RangeError('step: expected a number that is not 0');
    const end = inclusive ? stop + step : stop;
    return ramp(start, step, Math.ceil((end - start) / step)).map((x) => x / 100);
  }
  if (num_steps === 1) return [start / 100];
  const between = (stop - start) / (inclusive ? num_steps - 1 : num_steps);
  return ramp(start, between, num_steps).map((x) => decimals(x / 100, 10));
}

/** One range for every set of values; shorter lists repeat their last value. */
function ranges(
  lists: Readonly<Record<keyof Range, readonly unknown[]>>,
  make: (range: Range) => number[],
): [values: number[], sizes: number[]] {
  const count = Math.max(...Object.values(lists).map((list) => list.length));
  const each = Array.from({ length: count }, (_, i) =>
    make(
      Object.fromEntries(
        Object.entries(lists).map(([name, list]) => [name, list[i] ?? list.at(-1)]),
      ) as unknown as Range,
    ),
  );
  return [each.flat(), each.map((values) => values.length)];
}

const rangeOutputs = (type: string) => [
  { type, name: 'range', list: true },
  { type: 'INT', name: 'range_sizes', list: true },
];
const rangeMode = () => combo(['step', 'num_steps'] as const, { default: 'step' });
const endMode = () => combo(['Inclusive', 'Exclusive'] as const, { default: 'Inclusive' });
const whole = (value: number) => int({ default: value, min: -4096, max: 4096, step: 1 });
const tenths = (value: number) => float({ default: value, min: -4096, max: 4096, step: 0.1 });

const rangeNodes: readonly NodeDefinition[] = [
  type({
    name: 'easy rangeInt',
    displayName: 'Range(Int)',
    inputs: {
      range_mode: rangeMode(),
      start: whole(0),
      stop: whole(1),
      step: whole(1),
      num_steps: whole(0),
      end_mode: endMode(),
    },
    inputIsList: true,
    outputs: rangeOutputs('INT'),
    run: (lists) => ranges(lists, wholeRange),
  }),
  type({
    name: 'easy rangeFloat',
    displayName: 'Range(Float)',
    inputs: {
      range_mode: rangeMode(),
      start: tenths(0),
      stop: tenths(1),
      step: tenths(1),
      num_steps: whole(1),
      end_mode: endMode(),
    },
    inputIsList: true,
    outputs: rangeOutputs('FLOAT'),
    run: (lists) => ranges(lists, decimalRange),
  }),
];

/** At most `count` lines from `start` on; a start behind the end is the last line. */
export function linesOf(text: string, start: number, count: number, keepEmpty = true): string[] {
  const lines = text.split('\n').filter((line) => keepEmpty || line.trim() !== '');
  const first = Math.max(0, Math.min(start, lines.length - 1));
  return lines.slice(first, first + count);
}

const startIndex = () => int({ default: 0, min: 0, max: 9999 });
const maxRows = () => int({ default: 1000, min: 1, max: 9999 });
const prompts = ['prompt_1', 'prompt_2', 'prompt_3', 'prompt_4', 'prompt_5'] as const;
const promptBox = () => string({ multiline: true, default: '' });

const lineNodes: readonly NodeDefinition[] = [
  prompt({
    name: 'easy promptLine',
    displayName: 'PromptLine',
    inputs: {
      prompt: string({ multiline: true, default: 'text' }),
      start_index: startIndex(),
      max_rows: maxRows(),
      remove_empty_lines: optional(boolean({ default: true })),
    },
    outputs: [
      { type: 'STRING', name: 'STRING', list: true },
      { type: '*', name: 'COMBO', list: true },
    ],
    run({ prompt, start_index, max_rows, remove_empty_lines = true }) {
      const lines = linesOf(prompt, start_index, max_rows, !remove_empty_lines);
      return [lines, lines];
    },
  }),
  prompt({
    name: 'easy promptList',
    displayName: 'PromptList',
    inputs: {
      prompt_1: promptBox(),
      prompt_2: promptBox(),
      prompt_3: promptBox(),
      prompt_4: promptBox(),
      prompt_5: promptBox(),
      optional_prompt_list: optional(socket<readonly unknown[] | null>('LIST')),
    },
    outputs: [
      { type: 'LIST', name: 'prompt_list' },
      { type: 'STRING', name: 'prompt_strings', list: true },
    ],
    run({ optional_prompt_list, ...own }) {
      const given = prompts.map((name) => own[name]).filter((text) => text !== '');
      const all = [...(optional_prompt_list ?? []), ...given];
      return [all, all];
    },
  }),
  logic({
    name: 'easy stringToIntList',
    displayName: 'String to Int List',
    inputs: { string: string({ default: '1, 2, 3', multiline: true }) },
    outputs: [{ type: 'INT' }],
    run: ({ string }) => [numbersOf(string).map(Math.trunc)],
  }),
  logic({
    name: 'easy stringToFloatList',
    displayName: 'String to Float List',
    inputs: { string: string({ default: '1, 2, 3', multiline: true }) },
    outputs: [{ type: 'FLOAT' }],
    run: ({ string }) => [numbersOf(string)],
  }),
  logic({
    name: 'easy stringJoinLines',
    displayName: 'String Join Lines',
    inputs: {
      string: string({ default: '', multiline: true }),
      delimiter: string({ default: ' | ' }),
    },
    outputs: [{ type: 'STRING' }],
    run: ({ string, delimiter }) => [
      linesOf(string, 0, Infinity, false)
        .map((line) => line.trim())
        .join(delimiter),
    ],
  }),
];

/** The numbers of a text between commas. */
function numbersOf(text: string): number[] {
  return text.split(',').map((part) => {
    const value = part.trim() === '' ? NaN : Number(part);
    if (Number.isNaN(value)) throw new RangeError(`string: expected numbers, got '${part.trim()}'`);
    return value;
  });
}

/** Whether what comes over the wire `any` of a node was a list of values, not one value. */
const isMany = (list: readonly unknown[]): boolean => list.length > 1;

const lengthOf = (value: unknown): number | undefined =>
  isArray(value)
    ? value.shape[0]
    : Array.isArray(value) || typeof value === 'string'
      ? value.length
      : undefined;

/** Place `index` of `count`, from the end when negative, never outside. */
const placed = (index: number, count: number): number =>
  Math.min(Math.max(0, index < 0 ? count + index : index), count - 1);

function itemOf(value: unknown, index: number): unknown {
  const count = lengthOf(value);
  if (count === undefined || count === 0) return value;
  const at = placed(index, count);
  return isArray(value) ? rows(value, at, at + 1) : (value as readonly unknown[] | string)[at];
}

const anyNodes: readonly NodeDefinition[] = [
  logic({
    name: 'easy lengthAnything',
    displayName: 'Length Any',
    inputs: { any: anything() },
    inputIsList: true,
    outputs: [{ type: 'INT', name: 'length' }],
    run({ any }) {
      if (isMany(any)) return [any.length];
      const count = lengthOf(any[0]);
      if (count !== undefined) return [count];
      throw new TypeError(`any: expected a list, a batch or a text, got ${typeof any[0]}`);
    },
  }),
  logic({
    name: 'easy indexAnything',
    displayName: 'Index Any',
    inputs: {
      any: anything(),
      index: int({ default: 0, min: -1_000_000, max: 1_000_000, step: 1 }),
    },
    inputIsList: true,
    outputs: [{ type: '*', name: 'out' }],
    run: ({ any, index: [index] }) => [
      isMany(any) ? any[placed(index, any.length)] : itemOf(any[0], index),
    ],
  }),
  logic({
    name: 'easy batchAnything',
    displayName: 'Batch Any',
    inputs: { any_1: anything(), any_2: anything() },
    outputs: [{ type: '*', name: 'batch' }],
    run: ({ any_1, any_2 }) => [batched(any_1 ?? null, any_2 ?? null)],
  }),
  logic({
    name: 'easy outputToList',
    displayName: 'Output to List',
    inputs: { tuple: anything() },
    outputs: [{ type: '*', name: 'list', list: true }],
    run: ({ tuple }) => [Array.isArray(tuple) ? tuple : [tuple]],
  }),
  impact({
    name: 'ImpactMakeAnyList',
    displayName: 'Make List (Any)',
    inputs: { value1: optional(anything()) },
    acceptAllInputs: true,
    outputs: [{ type: '*', list: true }],
    run: (values) => [
      Object.values(values).filter((value) => value !== null && value !== undefined),
    ],
  }),
];

const isScalar = (value: unknown): boolean =>
  ['string', 'number', 'bigint', 'boolean'].includes(typeof value);

/** Two values as one: pictures and latents as a batch, in the size of the first; others as a list. */
function batched(a: unknown, b: unknown): unknown {
  if (a === null) return b;
  if (b === null) return a;
  if (isArray(a) && isArray(b)) return concat([a, b.shape.length === 4 ? sizedAs(b, a) : b]);
  if (isLatent(a) && isLatent(b)) return latentBatch(a, b);
  if (isScalar(a)) return Array.isArray(b) ? [...(b as unknown[]), a] : [a, b];
  if (isScalar(b)) return Array.isArray(a) ? [...(a as unknown[]), b] : [b, a];
  if (Array.isArray(a) && Array.isArray(b)) return [...(a as unknown[]), ...(b as unknown[])];
  throw new TypeError('any_2: expected a value of the kind of any_1');
}

/** A picture [b, h, w, c] in the size of another. */
function sizedAs(x: NDArray, { shape: [, h, w] }: NDArray): NDArray {
  return x.shape[1] === h && x.shape[2] === w ? x : upscaleImage(x, w, h, 'bilinear', 'center');
}

function latentBatch(a: Latent, b: Latent): Latent {
  const range = ({ samples, batch_index }: Latent): readonly number[] =>
    batch_index ?? Array.from({ length: samples.shape[0] }, (_, i) => i);
  return {
    ...a,
    samples: concat([a.samples, b.samples]),
    batch_index: [...range(a), ...range(b)],
  };
}

const singly = (x: NDArray): NDArray[] =>
  Array.from({ length: x.shape[0] }, (_, i) => rows(x, i, i + 1));

const isMask = (value: unknown): value is Mask => isArray(value);

const maskNodes: readonly NodeDefinition[] = [
  impact({
    name: 'ImpactMakeMaskList',
    displayName: 'Make Mask List',
    inputs: { mask1: mask() },
    acceptAllInputs: true,
    outputs: [{ type: 'MASK', list: true }],
    run: (masks) => [Object.values(masks).filter(isMask)],
  }),
  impact({
    name: 'ImpactMakeMaskBatch',
    displayName: 'Make Mask Batch',
    inputs: { mask1: mask() },
    acceptAllInputs: true,
    outputs: [{ type: 'MASK' }],
    run: (masks) => [concat(Object.values(masks).filter(isMask))],
  }),
  operation({
    name: 'MaskListToMaskBatch',
    displayName: 'Mask List to Mask Batch',
    inputs: { mask: mask() },
    inputIsList: true,
    outputs: [{ type: 'MASK' }],
    run: ({ mask }) => [concat([...mask])],
  }),
  operation({
    name: 'MasksToMaskList',
    displayName: 'Mask Batch to Mask List',
    inputs: { masks: mask() },
    outputs: [{ type: 'MASK', list: true }],
    run: ({ masks }) => [singly(masks)],
  }),
];

export const listNodes: readonly NodeDefinition[] = [
  ...rangeNodes,
  ...lineNodes,
  ...anyNodes,
  ...maskNodes,
];
