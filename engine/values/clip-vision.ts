/** CLIP_VISION: an encoder of pictures, and CLIP_VISION_OUTPUT: what it saw. */
import {
  type ClipVisionConfig,
  clipVision,
  detectClipVision,
  earlierLayers,
} from '../arch/clip-vision.ts';
import { resizeAntialiased } from '../array/antialias.ts';
import { concat, rows, sliceAxis } from '../array/batch.ts';
import { channelsFirst } from '../array/layout.ts';
import type { NDArray } from '../array/nd.ts';
import { clamp, roundHalfEven } from '../array/round.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import { clipVisionNames } from '../weights/key-maps/open-clip.ts';
import { type WeightSource, sub } from '../weights/source.ts';
import type { Image } from './media.ts';
import { type NetworkRun, type Weighted, openNetwork } from './network.ts';

export interface ClipVision extends Weighted {
  readonly config: ClipVisionConfig;
}

/** What `clipVision` gives for a batch of pictures. */
export interface ClipVisionOutput {
  /** [b, t, c]. */
  readonly last: NDArray;
  /** [b, t, c]. */
  readonly penultimate: NDArray;
  /** [b, t, c] of further layers, counted from the end (engine/arch/clip-vision.ts says which). */
  readonly earlier?: Readonly<Record<number, NDArray>>;
  /** [b, p], or [b, t, c] of encoders without a class token. */
  readonly embeds: NDArray;
  /** [b, t - 1, p], where the encoder has LLaVA's projector. */
  readonly projected?: NDArray | undefined;
}

/** The encoder in a source (its prefix removed), under any of its names; undefined when it has none. */
export function openClipVision(source: WeightSource): ClipVision | undefined {
  const named = clipVisionNames(source);
  const config = detectClipVision(openWeights(named));
  return config && { source: named, config, patches: [] };
}

/** An encoder's own file. Throws FAMILY_UNKNOWN when it holds none. */
export function requireClipVision(file: WeightSource): ClipVision {
  const inside = sub(file, 'visual.');
  const vision = openClipVision(inside.tensors.size > 0 ? inside : file);
  if (vision) return vision;
  const reason = 'it holds no picture encoder of CLIP or SigLIP';
  throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason });
}

/** Pictures that share a call. */
const callRows = 16;

/**
 * What the encoder sees of pictures [b, h, w, 3 or 4]. `crop` center cuts the middle square out, none
 * squeezes the whole picture into a square. Throws BAD_INPUT where a loader found no encoder.
 */
export async function encodePictures(
  vision: ClipVision | null,
  pictures: Image,
  crop: 'center' | 'none',
  run: NetworkRun,
): Promise<ClipVisionOutput> {
  if (!vision) {
    const subject = 'clip_vision';
    throw new NoodleError('BAD_INPUT', { subject, expected: 'a picture encoder', got: 'none' });
  }
  const { config } = vision;
  const { size, layers, activation } = config;
  const network = openNetwork(run, vision, {
    name: 'clip-vision',
    settings: { activation },
    build: (g) => {
      const pixels = g.input('pixels', 'f32', ['batch', 3, size, size]);
      return clipVision(g.weights, pixels, { layers, activation });
    },
  });
  const [count] = pictures.shape;
  const parts: Record<string, NDArray>[] = [];
  for (let start = 0; start < count; start += callRows) {
    const some = rows(pictures, start, Math.min(start + callRows, count));
    const pixels = visionPixels(some, config, crop);
    parts.push(await network({ pixels }, { rows: pixels.shape[0] }));
  }
  const joined = (name: string): NDArray => concat(parts.map((part) => part[name]));
  return {
    last: joined('last'),
    penultimate: joined('penultimate'),
    earlier: Object.fromEntries(
      earlierLayers
        .filter((layer) => `layer${layer}` in parts[0])
        .map((layer) => [layer, joined(`layer${layer}`)]),
    ),
    embeds: joined('embeds'),
    projected: 'projected' in parts[0] ? joined('projected') : undefined,
  };
}

/** Pictures of 0..1 as the encoder takes them: [b, 3, size, size], in steps of 8 bits, normalised. */
export function visionPixels(
  pictures: Image,
  { size, mean, std }: Pick<ClipVisionConfig, 'size' | 'mean' | 'std'>,
  crop: 'center' | 'none',
): NDArray {
  const { data, shape } = square(colours(pictures), size, crop);
  const normal = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const level = Math.fround(roundHalfEven(clamp(Math.fround(255 * data[i]), 0, 255)) / 255);
    normal[i] = Math.fround(level - Math.fround(mean[i % 3])) / Math.fround(std[i % 3]);
  }
  return channelsFirst({ data: normal, shape });
}

/** Pictures without their alpha channel. */
function colours(pictures: Image): Image {
  const channels = pictures.shape[3];
  if (channels === 3) return pictures;
  if (channels < 3) {
    const expected = '3 or 4 channels';
    throw new NoodleError('BAD_INPUT', { subject: 'the picture', expected, got: channels });
  }
  return sliceAxis(pictures, 3, 0, 3);
}

function square(pictures: Image, size: number, crop: 'center' | 'none'): Image {
  const [, height, width] = pictures.shape;
  if (height === size && width === size) return pictures;
  if (crop === 'none') return resizeAntialiased(pictures, size, size);
  const scale = size / Math.min(height, width);
  const [h, w] = [roundHalfEven(scale * height), roundHalfEven(scale * width)];
  const resized = resizeAntialiased(pictures, h, w);
  const [top, left] = [Math.floor((h - size) / 2), Math.floor((w - size) / 2)];
  return sliceAxis(sliceAxis(resized, 1, top, top + size), 2, left, left + size);
}
