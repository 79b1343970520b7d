/**
 * Predictions for lists of conditioning: which entries are active, which of them share a network
 * call, and how their predictions are joined into one picture per list.
 */
import { concat, repeatToBatch, rows } from '../array/batch.ts';
import { map } from '../array/elementwise.ts';
import { type NDArray, sameShape } from '../array/nd.ts';
import { commonLength, fitTogether, repeatTokens } from '../array/tokens.ts';
import { NoodleError } from '../errors.ts';
import type { ConditioningEntry } from './conditioning.ts';
import type { CondTensor, DiffusionModel, RunMemory } from './model.ts';
import type { PreparedEntry } from './prepared.ts';
import {
  type Box,
  type Weights,
  boxWeights,
  clipBox,
  cutBox,
  weightSum,
  weightedMean,
} from './region.ts';

/** One entry cut out and ready to be batched. */
interface Part {
  readonly list: number;
  readonly prepared: PreparedEntry;
  readonly box: Box;
  readonly x: NDArray;
  /** How much its prediction counts. */
  readonly weights: Weights;
  readonly encoded: Readonly<Record<string, CondTensor>>;
}

/** At which noise level, and in which run. */
export interface EvaluateCall {
  readonly sigma: number;
  readonly signal: AbortSignal | undefined;
  readonly run: RunMemory;
}

/**
 * One denoised picture per list at (x, sigma). A list without an active entry, and an undefined list,
 * predict 0. The network is called once per group of compatible entries, later lists first.
 */
export async function evaluate(
  model: DiffusionModel,
  lists: readonly (readonly PreparedEntry[] | undefined)[],
  x: NDArray,
  call: EvaluateCall,
): Promise<NDArray[]> {
  const means = lists.map(() => weightedMean(x.shape));
  const waiting = lists.flatMap((list, index) => partsOf(list ?? [], index, x, call.sigma));
  while (waiting.length > 0) {
    const batch = takeBatch(waiting, model);
    const output = await callModel(model, batch, call);
    const rowCount = x.shape[0];
    batch.forEach(({ list, box, weights }, k) => {
      means[list].add(rows(output, k * rowCount, (k + 1) * rowCount), box, weights);
    });
  }
  return means.map((mean) => mean.result());
}

const isActive = ({ startSigma, endSigma }: PreparedEntry, sigma: number): boolean =>
  sigma <= startSigma && sigma >= endSigma;

/** The active entries of a list; its default entries count where the others leave something. */
function partsOf(
  entries: readonly PreparedEntry[],
  list: number,
  x: NDArray,
  sigma: number,
): Part[] {
  const active = entries
    .filter((entry) => isActive(entry, sigma))
    .map((entry) => cutPart(entry, list, x));
  const isDefault = ({ prepared }: Part): boolean => prepared.entry.isDefault === true;
  const parts = active.filter((part) => !isDefault(part));
  const defaults = active.filter(isDefault);
  if (defaults.length === 0) return parts;
  const rest = uncovered(x.shape, parts);
  if (rest.data.every((weight) => weight === 0)) return parts;
  const [rowCount] = x.shape;
  const weightsIn = (box: Box): Weights => ({ rows: rowCount, data: cutBox(rest, box).data });
  return [...parts, ...defaults.map((part) => ({ ...part, weights: weightsIn(part.box) }))];
}

/** What the weights of all parts leave of 1 in every cell: [b, 1, ...dims]. */
function uncovered([rowCount, , ...dims]: readonly number[], parts: readonly Part[]): NDArray {
  const covered = weightSum([rowCount, 1, ...dims], parts);
  return map(covered, (weight) => Math.max(0, 1 - weight));
}

function cutPart(prepared: PreparedEntry, list: number, x: NDArray): Part {
  const [batch, , ...dims] = x.shape;
  const everything = { sizes: dims, offsets: dims.map(() => 0) };
  const box = prepared.box ? clipBox(prepared.box, dims) : everything;
  const encoded: Record<string, CondTensor> = {};
  for (const [name, { value, along }] of Object.entries(prepared.encoded)) {
    const cut = prepared.box && along === 'grid' ? cutBox(value, box) : value;
    encoded[name] = { value: repeatToBatch(cut, batch), along };
  }
  const { strength = 1, maskStrength = 1 } = prepared.entry;
  const ramps = prepared.box !== undefined;
  const weights = boxWeights(dims, box, { strength, maskStrength, ramps, mask: prepared.mask });
  return { list, prepared, box, x: prepared.box ? cutBox(x, box) : x, weights, encoded };
}

/** Removes from `waiting` what goes with its first part into one call, in the order of the rows. */
function takeBatch(waiting: Part[], model: DiffusionModel): Part[] {
  const [first] = waiting;
  const fitting = waiting.filter((part) => canJoin(part, first)).reverse();
  const itemsPerPart = first.x.shape[0];
  const rowsAtOnce = model.bestBatch(first.x.shape.slice(1), first.prepared.entry);
  const limit = Math.max(1, Math.floor(rowsAtOnce / itemsPerPart));
  let count = fitting.length;
  for (let divisor = 2; count > limit; divisor++) count = Math.floor(fitting.length / divisor);
  const batch = fitting.slice(0, Math.max(1, count));
  for (const part of batch) waiting.splice(waiting.indexOf(part), 1);
  return batch;
}

function canJoin(a: Part, b: Part): boolean {
  if (!sameShape(a.x.shape, b.x.shape)) return false;
  if (!sameChanges(a.prepared.entry, b.prepared.entry)) return false;
  const names = Object.keys(a.encoded).sort();
  if (names.join() !== Object.keys(b.encoded).sort().join()) return false;
  return names.every((name) => {
    const { along } = a.encoded[name];
    const [p, q] = [a.encoded[name].value.shape, b.encoded[name].value.shape];
    if (sameShape(p, q)) return true;
    if (along !== 'tokens' || along !== b.encoded[name].along) return false;
    if (p[0] !== q[0] || !sameShape(p.slice(2), q.slice(2))) return false;
    return fitTogether(p[1], q[1]);
  });
}

function sameChanges(
  { changes: a = {} }: ConditioningEntry,
  { changes: b = {} }: ConditioningEntry,
) {
  return a === b || [...Object.keys(a), ...Object.keys(b)].every((kind) => a[kind] === b[kind]);
}

/** The denoised rows of all parts, one part after the other. */
async function callModel(
  model: DiffusionModel,
  parts: readonly Part[],
  { sigma, signal, run }: EvaluateCall,
): Promise<NDArray> {
  if (signal?.aborted) throw new NoodleError('INTERRUPTED');
  const { modelSampling } = model;
  const x = concat(parts.map((part) => part.x));
  const cond: Record<string, NDArray> = {};
  for (const name of Object.keys(parts[0].encoded)) {
    cond[name] = joinRows(parts.map((part) => part.encoded[name].value));
  }
  const output = await model.apply({
    x: modelSampling.calculateInput(sigma, x),
    sigma,
    timesteps: new Float32Array(x.shape[0]).fill(modelSampling.timestep(sigma)),
    cond,
    parts: parts.map(({ list, prepared }) => ({ list, entry: prepared.entry })),
    run,
  });
  return modelSampling.calculateDenoised(sigma, output, x);
}

/** Tensors below each other; contexts of unequal length are repeated to their common multiple. */
function joinRows(values: readonly NDArray[]): NDArray {
  if (values.every((value) => sameShape(value.shape, values[0].shape))) return concat(values);
  const length = commonLength(values.map(({ shape }) => shape[1]));
  return concat(values.map((value) => repeatTokens(value, length)));
}
