/**
 * HyperTile (Fernandes 2023): queries of the large self-attentions are taken tile by tile. As in ComfyUI
 * every tile of queries looks at an equal share of the keys in the order in which they lie.
 */
import { roundHalfEven } from '../array/round.ts';
import type { UNetBlock } from '../arch/unet.ts';
import { gather, input, reshape } from '../tensor/nn.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Feeds, NetworkPatch } from './patch.ts';

export interface TiledAttentionOptions {
  /** Cells of a tile's side, at least. */
  readonly tile: number;
  /** How many ways of dividing are drawn from. */
  readonly swap: number;
  /** Attentions of pictures halved at most this often are tiled. */
  readonly maxDepth: number;
  /** Tiles grow with the depth. */
  readonly scaleDepth: boolean;
  readonly blocks: readonly UNetBlock[];
}

/** Draws from 0 up to n - 1. */
type Draw = (n: number) => number;

/** Tiles are drawn from torch's global generator at every call; all numbers are fed. */
export function tiledAttentionPatch(options: TiledAttentionOptions): NetworkPatch {
  const { blocks, maxDepth } = options;
  const sites = blocks.flatMap(({ level, selfAttentions }) =>
    level > maxDepth ? [] : selfAttentions.map((site) => ({ site, level })),
  );
  const numbers = new Map(sites.map(({ site }, i) => [site, i]));
  return {
    identity: `tiled attention ${[...numbers.keys()].join(' ')}`,
    at({ name, inputs, run }) {
      const i = numbers.get(name);
      if (i === undefined) return undefined;
      const shape = [symbol(`tile${i}_count`), symbol(`tile${i}_cells`)];
      const order = input(`tile/order${i}`, 'i64', shape);
      const inverse = input(`tile/inverse${i}`, 'i64', [inputs.x.shape[1]]);
      const asTheyLie = input(`tile/share${i}`, 'i64', shape);
      const { context, value } = inputs;
      const shares = tiles(context, asTheyLie);
      const out = run({
        x: tiles(inputs.x, order),
        context: shares,
        value: value === context ? shares : tiles(value, asTheyLie),
      });
      const whole = [inputs.x.shape[0], mulDim(shape[0], shape[1]), out.shape[2]];
      return gather(reshape(out, whole), inverse, 1);
    },
    feeds({ input: call }) {
      const [height, width] = call!.x.shape.slice(-2);
      const draw: Draw = (n) => Number(call!.run.generator().randint(0n, BigInt(n), 1)[0]);
      const feeds: Record<string, Feeds[string]> = {};
      sites.forEach(({ level }, i) => {
        const order = tileOrder([height, width], level, options, draw);
        Object.assign(feeds, orderFeeds(i, order));
      });
      return feeds;
    },
  };
}

/** Rows of x [b, t, c] by an order [tiles, cells], a tile an item of the batch. */
function tiles(x: Tensor, order: Tensor): Tensor {
  const [batch, , channels] = x.shape;
  const [count, cells] = order.shape;
  return reshape(gather(x, order, 1), [mulDim(batch, count), cells, channels]);
}

/** Tokens tile by tile: one tile where sizes do not halve evenly. */
function tileOrder(
  [height, width]: readonly [number, number],
  level: number,
  { tile, swap, maxDepth, scaleDepth }: TiledAttentionOptions,
  draw: Draw,
): number[][] {
  const half = (size: number): number => Math.ceil(size / 2);
  let [rows, columns] = [height, width];
  for (let i = 0; i < level; i++) [rows, columns] = [half(rows), half(columns)];
  const tokens = rows * columns;
  const depths = Array.from({ length: maxDepth + 1 }, (_, i) => i);
  const depth = depths.find((i) => (height / 2 ** i) * (width / 2 ** i) === tokens);
  const all = Array.from({ length: tokens }, (_, token) => token);
  if (depth === undefined) return [all];
  // like the reference, which takes width for height
  const ratio = width / height;
  const h = roundHalfEven(Math.sqrt(tokens * ratio));
  const w = roundHalfEven(Math.sqrt(tokens / ratio));
  const least = tile * (scaleDepth ? 2 ** depth : 1);
  const down = drawnDivisor(h, least, swap, draw);
  const across = drawnDivisor(w, least, swap, draw);
  const [tileHeight, tileWidth] = [h / down, w / across];
  const order = Array.from({ length: down * across }, (): number[] => []);
  for (const token of all) {
    const [y, x] = [Math.floor(token / w), token % w];
    order[Math.floor(y / tileHeight) * across + Math.floor(x / tileWidth)].push(token);
  }
  return order;
}

/** In how many parts of at least `least` cells an axis is cut; one of the `options` finest is drawn. */
function drawnDivisor(size: number, least: number, options: number, draw: Draw): number {
  const parts: number[] = [];
  for (let cells = Math.min(least, size); cells <= size && parts.length < options; cells++) {
    if (size % cells === 0) parts.push(size / cells);
  }
  return parts[parts.length > 1 ? draw(parts.length - 1) : 0];
}

function orderFeeds(i: number, order: readonly (readonly number[])[]): Feeds {
  const flat = order.flat();
  const shape = [order.length, order[0].length];
  const inverse = new BigInt64Array(flat.length);
  flat.forEach((token, place) => (inverse[token] = BigInt(place)));
  return {
    [`tile/order${i}`]: { ids: BigInt64Array.from(flat, BigInt), shape },
    [`tile/share${i}`]: { ids: BigInt64Array.from(flat, (_, place) => BigInt(place)), shape },
    [`tile/inverse${i}`]: { ids: inverse, shape: [flat.length] },
  };
}
