/** CONDITIONING: ComfyUI's list of (text embedding, options), and what nodes do to it. */
import { concat, sliceAxis } from '../array/batch.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { zip } from '../array/elementwise.ts';
import { NoodleError } from '../errors.ts';
import type { Conditioning, ConditioningEntry } from '../sampling/conditioning.ts';

export type { Conditioning, ConditioningEntry };

/** Every entry with these values set. */
export function withValues(
  conditioning: Conditioning,
  values: Partial<ConditioningEntry>,
): Conditioning {
  return conditioning.map((entry) => ({ ...entry, ...values }));
}

/** The entry with more for its family's model to read; what it carries already stays. */
export function withExtra(
  entry: ConditioningEntry,
  extra: Readonly<Record<string, unknown>>,
): ConditioningEntry {
  return { ...entry, extra: { ...entry.extra, ...extra } };
}

/** The entry with one more item in a list that its family's model reads. */
export function appendExtra(
  entry: ConditioningEntry,
  name: string,
  item: unknown,
): ConditioningEntry {
  const before = (entry.extra?.[name] ?? []) as readonly unknown[];
  return withExtra(entry, { [name]: [...before, item] });
}

/** The first entry of `from` appended along the tokens to every entry of `to`. */
export function concatConditioning(to: Conditioning, from: Conditioning): Conditioning {
  const { cross } = firstOf(from);
  return to.map((entry) => {
    checkSameWidth(entry.cross, cross);
    return { ...entry, cross: concat([entry.cross, cross], 1) };
  });
}

/** to·strength + from·(1 - strength), with the first entry of `from` cut or zero-padded to fit. */
export function averageConditioning(
  to: Conditioning,
  from: Conditioning,
  strength: number,
): Conditioning {
  const first = firstOf(from);
  return to.map((entry) => {
    checkSameWidth(entry.cross, first.cross);
    const cross = mix(entry.cross, fitTokens(first.cross, entry.cross.shape[1]), strength);
    const pooledTo = entry.pooled ?? first.pooled;
    const pooled = pooledTo && first.pooled ? mix(pooledTo, first.pooled, strength) : entry.pooled;
    return { ...entry, cross, pooled };
  });
}

/** Every number of the embeddings replaced by 0. */
export function zeroOut(conditioning: Conditioning): Conditioning {
  return conditioning.map((entry) => ({
    ...entry,
    cross: zeros(entry.cross.shape),
    pooled: entry.pooled && zeros(entry.pooled.shape),
  }));
}

function firstOf(conditioning: Conditioning): ConditioningEntry {
  if (conditioning.length > 0) return conditioning[0];
  throw new NoodleError('BAD_INPUT', {
    subject: 'conditioning',
    expected: 'at least one entry',
    got: 'none',
  });
}

function fitTokens(x: NDArray, tokens: number): NDArray {
  const have = x.shape[1];
  if (have === tokens) return x;
  if (have > tokens) return sliceAxis(x, 1, 0, tokens);
  return concat([x, zeros([x.shape[0], tokens - have, x.shape[2]])], 1);
}

/** a·strength + b·(1 - strength) in fp32 steps. */
function mix(a: NDArray, b: NDArray, strength: number): NDArray {
  const [s, rest] = [Math.fround(strength), Math.fround(1 - strength)];
  return zip(a, b, (x, y) => Math.fround(x * s) + Math.fround(y * rest));
}

function checkSameWidth(a: NDArray, b: NDArray): void {
  const [expected, got] = [a.shape.at(-1), b.shape.at(-1)];
  if (expected === got) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'conditioning_from',
    expected: `text width ${expected}`,
    got: `${got}; the two were made by different text encoders`,
  });
}
