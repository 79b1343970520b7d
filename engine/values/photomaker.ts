/** PHOTOMAKER: puts the person of a picture into a prompt. */
import { type ClipVisionConfig, detectClipVision } from '../arch/clip-vision.ts';
import { photoMaker } from '../arch/photomaker.ts';
import { rows } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { TokenBatch } from '../text/token-batches.ts';
import { type WeightSource, sub } from '../weights/source.ts';
import { visionPixels } from './clip-vision.ts';
import {
  type Clip,
  type PromptRun,
  encodePromptTokens,
  requireClip,
  tokenizePrompt,
} from './clip.ts';
import type { Image } from './media.ts';
import { type Weighted, openNetwork } from './network.ts';

export interface PhotoMaker extends Weighted {
  readonly config: ClipVisionConfig;
}

/** The word of a prompt that stands for the person; it is not encoded itself. */
const triggerWord = 'photomaker';

/** The PhotoMaker of a file. Throws FAMILY_UNKNOWN when it holds none. */
export function openPhotoMaker(file: WeightSource): PhotoMaker {
  const inside = sub(file, 'id_encoder.');
  const source = inside.tensors.size > 0 ? inside : file;
  const w = openWeights(source);
  const config = detectClipVision(w);
  if (config && w.has('fuse_module.layer_norm')) return { source, config, patches: [] };
  throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason: 'it holds no PhotoMaker' });
}

/**
 * A prompt whose token before the word "photomaker" gets the person of the first picture; a prompt
 * without the word is encoded as it is.
 */
export async function encodeWithPerson(
  maker: PhotoMaker,
  pictures: Image,
  { clip, text }: { readonly clip: Clip | null; readonly text: string },
  run: PromptRun,
): Promise<ConditioningEntry> {
  const present = requireClip(clip);
  const index = text.split(' ').indexOf(triggerWord) + 1;
  const tokens = Object.entries(tokenizePrompt(present, text, run)).map(
    ([name, batches]) =>
      [name, index > 0 ? batches?.map((b) => withoutWord(b, index)) : batches] as const,
  );
  const entry = await encodePromptTokens(present, Object.fromEntries(tokens), run);
  const place = index - 1;
  if (place < 0 || place >= entry.cross.shape[1]) return entry;
  const cross = await withPerson(maker, pictures, { cross: entry.cross, place }, run);
  return { ...entry, cross };
}

async function withPerson(
  maker: PhotoMaker,
  pictures: Image,
  { cross, place }: { readonly cross: NDArray; readonly place: number },
  run: PromptRun,
): Promise<NDArray> {
  const { config, source } = maker;
  const width = cross.shape[2];
  const w = openWeights(source);
  const expected = w.shape('fuse_module.layer_norm.weight')[0];
  if (width !== expected) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'clip',
      expected: `text of width ${expected}, which ${source.label} was trained on`,
      got: `width ${width}`,
    });
  }
  const { size } = config;
  const network = openNetwork(run, maker, {
    name: 'photomaker',
    build: (g) => {
      const pixels = g.input('pixels', 'f32', [1, 3, size, size]);
      const token = g.input('token', 'f32', [1, width]);
      return { out: photoMaker(g.weights, { pixels, token }, config) };
    },
  });
  const data = cross.data.slice();
  const token = { data: data.slice(place * width, (place + 1) * width), shape: [1, width] };
  const pixels = visionPixels(rows(pictures, 0, 1), config, 'center');
  const { out } = await network({ pixels, token }, { rows: 1 });
  data.set(out.data, place * width);
  return { data, shape: cross.shape };
}

/** The tokens without those of one word; what is missing at the end repeats the last token. */
function withoutWord({ ids, weights, wordIds }: TokenBatch, word: number): TokenBatch {
  const last = ids.length - 1;
  const kept = ids.map((_, i) => i).filter((i) => wordIds[i] !== word);
  const places = ids.map((_, i) => kept[i] ?? last);
  return {
    ids: places.map((i) => ids[i]),
    weights: places.map((i) => weights[i]),
    wordIds: places.map((i) => wordIds[i]),
  };
}
