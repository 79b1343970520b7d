/** Pictures made ready for SeedVR2, and what it made of them brought back to their size and colours. */
import { concat, rows, sliceAxis } from '../engine/array/batch.ts';
import { map } from '../engine/array/elementwise.ts';
import { resizeAntialiased } from '../engine/array/antialias.ts';
import { reshape } from '../engine/array/nd.ts';
import type { NDArray } from '../engine/array/nd.ts';
import { cropImage, padImage, withChannels } from '../engine/array/rectangle.ts';
import { adainColours, labColours, waveletColours } from '../engine/array/restore-colours.ts';
import type { RestoreColours } from '../engine/array/restore-colours.ts';
import { clamp } from '../engine/array/round.ts';
import { NoodleError } from '../engine/errors.ts';
import { combo, image, inModule } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const define = inModule('comfy_extras.nodes_seedvr', 'v3', {
  outputs: [{ type: 'IMAGE', name: 'images' }],
});

/** The network takes sides of whole blocks, and one frame and then whole groups of them. */
const BLOCK = 16;
const GROUP = 4;

/** BAD_INPUT unless it holds. */
function need(holds: boolean, subject: string, expected: string, got: unknown): void {
  if (!holds) throw new NoodleError('BAD_INPUT', { subject, expected, got });
}

/** Films [n, frames, h, w, c]; pictures [frames, h, w, c] are one. Throws BAD_INPUT for anything else and for none. */
function films(x: NDArray, subject: string): NDArray {
  const film = x.shape.length === 4 ? reshape(x, [1, ...x.shape]) : x;
  const expected = 'pictures [frames, h, w, c], or films of them, not empty';
  need(film.shape.length === 5 && film.data.length > 0, subject, expected, x.shape);
  return film;
}

/** All frames of films in one row, and films of `length` frames again. */
const frames = ({ data, shape }: NDArray): NDArray => {
  const [n, length, ...picture] = shape;
  return { data, shape: [n * length, ...picture] };
};
const filmsOf = (x: NDArray, length: number): NDArray =>
  reshape(x, [x.shape[0] / length, length, ...x.shape.slice(1)]);

export const seedVr2Preprocess = define({
  name: 'SeedVR2Preprocess',
  displayName: 'Pre-Process SeedVR2 Input',
  category: 'image/pre-processors',
  description:
    'Pads pictures for SeedVR2: black at the right and the bottom, the last frame again at the end.',
  inputs: { resized_images: image({}) },
  run: ({ resized_images }) => {
    const all = films(resized_images, 'resized_images');
    const [, length, h, w, c] = all.shape;
    need(Math.min(h, w) >= 2, 'resized_images', 'sides of at least 2 pixels', `${w} x ${h}`);
    const colours = map(withChannels(frames(all), Math.min(c, 3)), (v) => clamp(v, 0, 1));
    const [height, width] = [h, w].map((side) => Math.ceil(side / BLOCK) * BLOCK);
    const padded = filmsOf(padImage(colours, { left: 0, top: 0, height, width }, 0), length);
    const missing = Math.ceil((length - 1) / GROUP) * GROUP + 1 - length;
    const last = sliceAxis(padded, 1, length - 1, length);
    return [concat([padded, ...Array<NDArray>(missing).fill(last)], 1)];
  },
});

const METHODS: Readonly<Record<string, RestoreColours>> = {
  lab: labColours,
  wavelet: waveletColours,
  adain: adainColours,
};

export const seedVr2PostProcessing = define({
  name: 'SeedVR2PostProcessing',
  displayName: 'Post-Process SeedVR2 Output',
  category: 'image/post-processors',
  description: 'Cuts what was padded, and gives the pictures the colours that they had.',
  inputs: {
    images: image({}),
    original_resized_images: image({}),
    color_correction_method: combo(['lab', 'wavelet', 'adain', 'none'] as const, {
      default: 'lab',
      multiselect: false,
    }),
  },
  run: ({ images, original_resized_images, color_correction_method: method }, context) => {
    const original = films(original_resized_images, 'original_resized_images');
    const made = likeOriginal(films(images, 'images'), original.shape);
    const [n, length, h, w] = made.shape.map((size, i) => Math.min(size, original.shape[i]));
    const cut = (x: NDArray): NDArray => frames(sliceAxis(sliceAxis(x, 0, 0, n), 1, 0, length));
    const pictures = cropImage(cut(made), { left: 0, top: 0, width: w, height: h });
    const theirs = cut(original);
    const hasAlpha = theirs.shape[3] === 4;
    const restore = METHODS[method];
    const coloured =
      restore === undefined
        ? pictures
        : withColours(
            pictures,
            withChannels(theirs, hasAlpha ? 3 : theirs.shape[3]),
            restore,
            context.progress,
          );
    const alpha = () =>
      cropImage(sliceAxis(theirs, 3, 3, 4), { left: 0, top: 0, width: w, height: h });
    const whole = hasAlpha ? concat([coloured, alpha()], 3) : coloured;
    const even = cropImage(whole, { left: 0, top: 0, width: w - (w % 2), height: h - (h % 2) });
    return [images.shape.length === 4 ? even : filmsOf(even, length)];
  },
});

/** One film cut into as many as the original has, where it is long enough for that. */
function likeOriginal(made: NDArray, [count, length]: readonly number[]): NDArray {
  const [n, all, ...picture] = made.shape;
  if (n !== 1 || all % count !== 0 || all / count < length) return made;
  return reshape(made, [count, all / count, ...picture]);
}

/** Each picture with the colours of its original, which is brought to its size. */
function withColours(
  pictures: NDArray,
  originals: NDArray,
  restore: RestoreColours,
  progress: (done: number, of: number) => void,
): NDArray {
  const [count, h, w, c] = pictures.shape;
  need(c === 3 && originals.shape[3] === 3, 'images', '3 channels, as the original', c);
  const done = Array.from({ length: count }, (_, i) => {
    progress(i, count);
    const style = rows(originals, i, i + 1);
    const fits = style.shape[1] === h && style.shape[2] === w;
    return restore(rows(pictures, i, i + 1), fits ? style : resizeAntialiased(style, h, w));
  });
  return concat(done);
}

export const seedVrNodes: readonly NodeDefinition[] = [seedVr2Preprocess, seedVr2PostProcessing];
