/**
 * What a NextDiT reads, token by token, and where it stands: words, and the picture behind them; in Z-Image's Omni
 * layout before both the same for every picture to look at, with what an encoder of pictures saw of it.
 *
 * Places are (place in the text, row, column). Where tokens are filled up to whole multiples, words count from 1 and
 * what is behind them stands further on: the picture by one, the view of it by two.
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import {
  add,
  cast,
  div,
  expand,
  floor,
  less,
  maximum,
  mul,
  padZero,
  range,
  rearrange,
  reshape,
  scalar,
  sizeTensor,
  sub,
  unsqueeze,
  where,
} from '../tensor/nn.ts';
import { type Dim, ceilDivDim, floorDivDim, mulDim, subDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { gridOf, patchify } from './patchify.ts';
import { type Positions, gridPlaces, samePlace } from './rope.ts';

/** A picture to look at. */
export interface LuminaReference {
  /** [b, c, h, w] of sizes of its own. */
  readonly latent: Tensor;
  /** Words before it [b, t, width]; left out where there are none. */
  readonly words?: Tensor;
  /** What an encoder saw of it [b, rows, columns, width]; left out where there is none. */
  readonly view?: Tensor;
}

export interface LuminaPictures {
  readonly x: Tensor;
  /** The prompt [b, t, width]. */
  readonly context: Tensor;
  readonly references?: readonly LuminaReference[];
  /** Words behind everything. */
  readonly closing?: readonly Tensor[];
}

/** Tokens that stand together. */
export interface Part {
  /** [b, n, c]. */
  readonly tokens: Tensor;
  readonly places: Positions;
  /** They belong to a picture without noise. */
  readonly isClean: boolean;
}

export interface LuminaSequence {
  readonly words: readonly Part[];
  readonly views: readonly Part[];
  /** The picture that is made is the last one. */
  readonly pictures: readonly Part[];
}

export interface SequenceFacts {
  readonly patch: number;
  /** Tokens are filled up with learned ones to whole multiples of this; 1: not at all. */
  readonly multiple: number;
  /** Of the norms before embeddings. */
  readonly eps: number;
}

/** All tokens, in the order of their places. */
export function luminaSequence(
  w: Weights,
  { x, context, references = [], closing = [] }: LuminaPictures,
  facts: SequenceFacts,
): LuminaSequence {
  const { multiple } = facts;
  const seesViews = references.length > 0 && w.has('siglip_embedder');
  const words: Part[] = [];
  const views: Part[] = [];
  const pictures: Part[] = [];
  let from: Tensor = scalar(0); // behind everything so far
  const put = ({ latent, words: text, view }: LuminaReference, isClean: boolean): void => {
    const { part, length } = wordTokens(w, text, from, facts);
    words.push({ ...part, isClean });
    const behind = add(lengthOf(seesViews ? length : part.tokens.shape[1]), from);
    if (seesViews) views.push(viewTokens(w, view, add(behind, 2), facts));
    const plane = multiple > 1 ? add(behind, 1) : behind;
    pictures.push({ ...pictureTokens(w, latent, plane, facts), isClean });
    from = add(behind, 2);
  };
  for (const reference of references) put(reference, true);
  put({ latent: x, words: context }, false);
  for (const text of closing) {
    const { part, length } = wordTokens(w, text, from, facts);
    words.push(part);
    from = add(lengthOf(length), from);
  }
  return { words, views, pictures };
}

const lengthOf = (length: Dim): Tensor => cast(sizeTensor(length), 'f32');

/** Words [b, t, width] and how many they are without what fills them up; without any, only that. */
function wordTokens(w: Weights, text: Tensor | undefined, from: Tensor, facts: SequenceFacts) {
  const { multiple } = facts;
  const embedded = text && embed(w, 'cap_embedder', text, facts);
  const length: Dim = embedded?.shape[1] ?? 0;
  const tokens = embedded
    ? filledUp(w, 'cap_pad_token', embedded, multiple)
    : fillers(w, 'cap_pad_token', multiple);
  const count = tokens.shape[1];
  const [zero] = samePlace(count, 1);
  const first = multiple > 1 ? add(from, 1) : from;
  const places = [add(cast(range(count), 'f32'), first), zero, zero];
  return { part: { tokens, places, isClean: false }, length };
}

/** A view [b, rows, columns, width]; places are those of a latent with eight cells for each of its. */
function viewTokens(
  w: Weights,
  view: Tensor | undefined,
  plane: Tensor,
  facts: SequenceFacts,
): Part {
  const { multiple } = facts;
  if (!view) {
    const places = samePlace(multiple, 3);
    return { tokens: fillers(w, 'siglip_pad_token', multiple), places, isClean: true };
  }
  const [batch, rows, columns, width] = view.shape;
  const count = mulDim(rows, columns);
  // the reference takes channels for places here, and so do the models made with it
  const mixed = reshape(rearrange(view, 'b h w c -> b c h w'), [batch, count, width]);
  const embedded = embed(w, 'siglip_embedder', mixed, facts);
  const tokens = filledUp(w, 'siglip_pad_token', embedded, multiple);
  const line = (places: Tensor, shape: readonly Dim[]): Tensor =>
    reshape(expand(reshape(places, shape), [rows, columns]), [-1]);
  const places = [
    add(samePlace(count, 1)[0], plane),
    line(spread(rows), [rows, 1]),
    line(spread(columns), [1, columns]),
  ];
  return { tokens, places: padded(places, count, tokens), isClean: true };
}

/** Whole numbers from 0 to 8 n - 1, evenly; from both ends as torch counts, whose rounding shows here. */
function spread(n: Dim): Tensor {
  const count = lengthOf(n);
  const end = sub(mul(count, 8), 1);
  const step = div(end, maximum(sub(count, 1), 1));
  const place = cast(range(n), 'f32');
  const half = maximum(lengthOf(floorDivDim(n, 2)), 1);
  const back = sub(end, mul(step, sub(sub(count, 1), place)));
  return floor(where(less(place, half), mul(place, step), back));
}

/** A picture [b, c, h, w] on a plane. */
function pictureTokens(w: Weights, picture: Tensor, plane: Tensor, facts: SequenceFacts): Part {
  const { patch, multiple } = facts;
  const patches = linear(w.at('x_embedder'), patchify(picture, patch, 'p q c'));
  const tokens = filledUp(w, 'x_pad_token', patches, multiple);
  const grid = gridOf(picture, patch);
  const count = mulDim(grid.rows, grid.columns);
  const places = [add(samePlace(count, 1)[0], plane), ...gridPlaces(grid)];
  return { tokens, places: multiple > 1 ? padded(places, count, tokens) : places, isClean: false };
}

/** What fills up stands at the origin. */
const padded = (places: Positions, count: Dim, tokens: Tensor): Positions =>
  places.map((line) => padZero(line, [[0, subDim(tokens.shape[1], count)]]));

const embed = (w: Weights, name: string, x: Tensor, { eps }: SequenceFacts): Tensor =>
  linear(w.at(`${name}.1`), rmsNorm(w.at(`${name}.0`), x, { eps }));

/** x [b, n, c] with a learned token behind it up to a multiple of tokens. */
function filledUp(w: Weights, token: string, x: Tensor, multiple: number): Tensor {
  if (multiple === 1) return x;
  const [, length] = x.shape;
  const whole = mulDim(ceilDivDim(length, multiple), multiple);
  const behind: readonly [Dim, Dim] = [0, subDim(whole, length)];
  const padded = padZero(x, [[0, 0], behind, [0, 0]]);
  const isOwn = less(range(whole), sizeTensor(length));
  return where(reshape(isOwn, [1, whole, 1]), padded, unsqueeze(w.param(token), 0));
}

/** A multiple of nothing but the learned token: [1, multiple, c]. */
function fillers(w: Weights, token: string, multiple: number): Tensor {
  const filler = w.param(token);
  return expand(unsqueeze(filler, 0), [1, multiple, filler.shape[1]]);
}
