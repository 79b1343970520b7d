/** Hint pictures of control networks at the size of a call. */
import { concat, repeatToBatch, rows } from '../array/batch.ts';
import { channelsFirst } from '../array/layout.ts';
import type { NDArray } from '../array/nd.ts';
import { type UpscaleMethod, commonUpscale } from '../array/resize.ts';
import { NoodleError } from '../errors.ts';
import type { ModelInput } from '../sampling/model.ts';
import type { Image } from './media.ts';

/**
 * What a network makes of hint pictures, made once for each size of a call. A region gets the whole
 * picture at the region's size, as in ComfyUI.
 */
export interface Hints<T extends Readonly<Record<string, NDArray>>> {
  /** For the rows of a call: one picture for all, or picture by picture, from the first again. */
  forCall(input: ModelInput): Promise<T>;
}

/**
 * Hints of `image` [n, h, w, c]: brought to the size that `size` asks for a latent (nearest unless told, the middle
 * of the picture in its shape), and one by one through `run`, which takes [1, channels, h, w] and how many were before it.
 */
export function hintsOf<T extends Readonly<Record<string, NDArray>>>(
  image: Image,
  options: {
    readonly channels: number;
    readonly method?: UpscaleMethod;
    readonly size: (latent: { height: number; width: number }) => { height: number; width: number };
    readonly run: (picture: NDArray, index: number) => Promise<T>;
  },
): Hints<T> {
  const made = new Map<string, Promise<T>>();
  return {
    async forCall({ x, parts }) {
      const [rowCount] = x.shape;
      const [height, width] = x.shape.slice(-2);
      const items = rowCount / parts.length;
      const count = Math.min(image.shape[0], items);
      const key = [count, height, width].join();
      let features = made.get(key);
      if (!features) {
        features = each(
          fitted(image, count, options, options.size({ height, width })),
          options.run,
        );
        made.set(key, features);
      }
      const spread = (value: NDArray): NDArray =>
        repeatToBatch(repeatToBatch(value, items), rowCount);
      return mapRecord(await features, spread);
    },
  };
}

/** The first `count` pictures as [count, channels, height, width]. */
function fitted(
  image: Image,
  count: number,
  {
    channels,
    method = 'nearest-exact',
  }: { readonly channels: number; readonly method?: UpscaleMethod },
  { height, width }: { readonly height: number; readonly width: number },
): NDArray {
  const got = image.shape[3];
  if (got !== channels && channels !== 1) {
    const subject = 'the hint picture';
    throw new NoodleError('BAD_INPUT', { subject, expected: `${channels} channels`, got });
  }
  const pictures = channelsFirst(rows(image, 0, count));
  const sized = commonUpscale(pictures, width, height, method, 'center');
  return got === channels ? sized : channelMean(sized);
}

/** [b, c, h, w] -> [b, 1, h, w], in fp32 steps. */
function channelMean(x: NDArray): NDArray {
  const [b, c, h, w] = x.shape;
  const size = h * w;
  const data = new Float32Array(b * size);
  for (let item = 0; item < b; item++) {
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let k = 0; k < c; k++) sum = Math.fround(sum + x.data[(item * c + k) * size + i]);
      data[item * size + i] = sum / c;
    }
  }
  return { data, shape: [b, 1, h, w] };
}

/** `run` on row after row: the working memory of large pictures is that of one. */
async function each<T extends Readonly<Record<string, NDArray>>>(
  pictures: NDArray,
  run: (picture: NDArray, index: number) => Promise<T>,
): Promise<T> {
  const results: T[] = [];
  for (let i = 0; i < pictures.shape[0]; i++) {
    results.push(await run(rows(pictures, i, i + 1), i));
  }
  return mapRecord(results[0], (_, name) => concat(results.map((result) => result[name])));
}

const mapRecord = <T extends Readonly<Record<string, NDArray>>>(
  record: T,
  f: (value: NDArray, name: string) => NDArray,
): T =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)])) as T;
