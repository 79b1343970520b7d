/**
 * Token merging (Bolya and Hoffman 2023, "Token Merging for Fast Stable Diffusion"): before a
 * self-attention the tokens that are most alike become one, and each gets the answer of its one.
 */
import {
  add,
  argmax,
  argsort,
  concat,
  div,
  expand,
  gather,
  input,
  matmul,
  max,
  mul,
  range,
  reshape,
  scalar,
  scatterAdd,
  sizeTensor,
  slice,
  sqrt,
  sum,
  unsqueeze,
} from '../tensor/nn.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Feeds, NetworkPatch } from './patch.ts';

export interface TokenMergingOptions {
  /** Begins the names of the patch's inputs, which no other patch of the network may have. */
  readonly name: string;
  /** The share of all tokens that is merged into others. */
  readonly ratio: number;
  /** The self-attentions at the latent's own size, in the order in which they run. */
  readonly sites: readonly string[];
}

/** How the tokens of one attention are told apart, as inputs of the program (indices). */
interface Partition {
  /** Tokens that may be merged, and those that others are merged into. */
  readonly source: Tensor;
  readonly target: Tensor;
  /** Ranks of the sources: those most like their target are merged, the others kept. */
  readonly merged: Tensor;
  readonly kept: Tensor;
}

/**
 * Merging at `sites`. Of every 2 x 2 cells of the latent one, drawn from torch's global generator at every
 * call, is a target; everything that depends on ratio and size is fed, so that one session serves all.
 */
export function tokenMergingPatch({ name, ratio, sites }: TokenMergingOptions): NetworkPatch {
  const numbers = new Map(sites.map((site, i) => [site, i]));
  const vector = (what: string, size: string): Tensor =>
    input(`${name}/${what}`, 'i64', [symbol(`${name}_${size}`)]);
  const ranks = { merged: vector('merged', 'merged'), kept: vector('kept', 'kept') };
  return {
    identity: `token merging ${name} ${sites.join(' ')}`,
    at: ({ name: site, inputs, run }) => {
      const i = numbers.get(site);
      if (i === undefined) return undefined;
      const source = vector(`source${i}`, 'source');
      const target = vector(`target${i}`, 'target');
      const { merge, unmerge } = matching(inputs.x, { source, target, ...ranks });
      return unmerge(run({ ...inputs, x: merge(inputs.x) }));
    },
    feeds({ input: call }) {
      const [height, width] = call!.x.shape.slice(-2);
      const count = Math.floor(height * width * ratio);
      const merges = count > 0 && width > 1 && height > 1;
      const draw = (): BigInt64Array =>
        call!.run.generator().randint(0n, 4n, (height >> 1) * (width >> 1));
      const feeds: Record<string, Feeds[string]> = {};
      let sources = 0;
      sites.forEach((_, i) => {
        const { source, target } = cells(height, width, merges ? draw() : undefined);
        feeds[`${name}/source${i}`] = ids(source);
        feeds[`${name}/target${i}`] = ids(target);
        sources = source.length;
      });
      const merged = merges ? Math.min(sources, count) : 0;
      const all = Array.from({ length: sources }, (_, rank) => rank);
      feeds[`${name}/merged`] = ids(all.slice(0, merged));
      feeds[`${name}/kept`] = ids(all.slice(merged));
      return feeds;
    },
  };
}

const ids = (values: readonly number[]) => ({
  ids: BigInt64Array.from(values, BigInt),
  shape: [values.length],
});

/** Tokens by what they are: the drawn one of every 2 x 2 cells (none drawn: the first) is a target. */
function cells(
  height: number,
  width: number,
  drawn: BigInt64Array | undefined,
): { readonly source: number[]; readonly target: number[] } {
  const targets = new Set<number>();
  const columns = width >> 1;
  if (!drawn) targets.add(0);
  drawn?.forEach((corner, cell) => {
    const [y, x] = [Math.floor(cell / columns) * 2, (cell % columns) * 2];
    targets.add((y + Number(corner >> 1n)) * width + x + Number(corner & 1n));
  });
  const tokens = Array.from({ length: height * width }, (_, token) => token);
  return {
    source: tokens.filter((token) => !targets.has(token)),
    target: tokens.filter((token) => targets.has(token)),
  };
}

/** Which tokens of x [b, t, c] go together, by the cosine of their angle. */
function matching(x: Tensor, { source, target, merged, kept }: Partition) {
  const batch = x.shape[0];
  const unit = div(x, sqrt(sum(mul(x, x), -1, { keep: true })));
  const likeness = matmul(gather(unit, source, 1), gather(unit, target, 1), { transposeB: true });
  const order = argsort(max(likeness, -1), 1, { descending: true }); // [b, sources]
  const merging = gather(order, merged, 1); // [b, merged], indices of sources
  const keeping = gather(order, kept, 1);
  const into = rowsAt(argmax(likeness, -1), merging); // [b, merged], indices of targets
  const spread = (index: Tensor, width: Tensor['shape'][number]): Tensor =>
    expand(unsqueeze(index, 2), [...index.shape, width]);
  return {
    /** The tokens that are left: [b, kept + targets, c]. */
    merge: (x: Tensor): Tensor => {
      const sources = gather(x, source, 1);
      const targets = gather(x, target, 1);
      const total = scatterAdd(targets, spread(into, x.shape[2]), rowsAt(sources, merging), 1);
      const ones = (rows: Tensor): Tensor => expand(scalar(1), [batch, rows.shape[1], 1]);
      const counts = scatterAdd(ones(targets), spread(into, 1), ones(merging), 1);
      return concat([rowsAt(sources, keeping), div(total, counts)], 1);
    },
    /** All tokens again: [b, t, c]. */
    unmerge: (y: Tensor): Tensor => {
      const targets = slice(y, 1, kept.shape[0], y.shape[1]);
      const rows = concat([y, rowsAt(targets, into)], 1);
      const everywhere = (index: Tensor): Tensor =>
        expand(unsqueeze(index, 0), [batch, index.shape[0]]);
      const place = (index: Tensor): Tensor => gather(source, index, 0);
      const places = concat([place(keeping), everywhere(target), place(merging)], 1);
      const none = expand(scalar(0, 'i64'), [batch, x.shape[1]]);
      return rowsAt(rows, scatterAdd(none, places, everywhere(range(rows.shape[1])), 1));
    },
  };
}

/** Rows of x [b, n, ...] at indices [b, m] of each item: [b, m, ...]. */
function rowsAt(x: Tensor, indices: Tensor): Tensor {
  const [batch, n, ...rest] = x.shape;
  const starts = mul(unsqueeze(range(batch), 1), sizeTensor(n));
  return gather(reshape(x, [mulDim(batch, n), ...rest]), add(indices, starts), 0);
}
