/** Keyframes of a film laid out segment by segment, each with its part of the sound. */
import { sliceAxis } from '../engine/array/batch.ts';
import { zeros } from '../engine/array/nd.ts';
import { toInteger } from '../engine/array/round.ts';
import { NoodleError } from '../engine/errors.ts';
import { image, inModule, int, socket } from '../engine/node.ts';
import type { Image, NodeDefinition } from '../engine/node.ts';
import type { Audio } from '../engine/values/audio.ts';

const FRAMES_A_SECOND = 30;
/** Sound in seconds that a film may lack at its end. */
const SLACK = 0.2;

const define = inModule('comfy_extras.nodes_wandancer', 'v3', { category: 'image/video' });
const audio = () => socket<Audio>('AUDIO', {}, ['waveform', 'sampleRate']);
const segmentLength = () => int({ default: 149, min: 1, max: 10000 });

/** How many seconds of sound there are; BAD_INPUT where its rate is none. */
function seconds({ waveform, sampleRate }: Audio): number {
  if (!(sampleRate > 0)) {
    const expected = 'a sample rate above 0';
    throw new NoodleError('BAD_INPUT', { subject: 'audio', expected, got: sampleRate });
  }
  return waveform.shape[waveform.shape.length - 1] / sampleRate;
}

/**
 * Where `count` pictures, spread evenly over a film of whole segments, stand in one of them: `[place in
 * the segment, number of the picture]`. The last one of a segment stands at its end.
 */
function places(count: number, length: number, index: number, duration: number) {
  const segments =
    duration > SLACK ? toInteger((duration - SLACK) / (length / FRAMES_A_SECOND)) + 1 : 0;
  if (segments === 0 || count === 0) return [];
  const interval = (segments * length) / count;
  const end = length - 1;
  let inner = 0;
  while (inner * interval < end - interval) inner++;
  const at = Array.from({ length: inner }, (_, i) => Math.ceil(interval * i));
  return [...at, end]
    .map((place, i) => [place, index * inner + i] as const)
    .filter(([place, picture]) => place < length && picture < count);
}

/** Pictures, mask (1 where one stands) and sound of one segment. */
function segment(images: Image, length: number, index: number, audio: Audio) {
  const [count, h, w, c] = images.shape;
  const duration = seconds(audio);
  const frames = zeros([length, h, w, c]);
  const mask = zeros([length, h, w]);
  for (const [place, picture] of places(count, length, index, duration)) {
    const size = h * w * c;
    frames.data.set(images.data.subarray(picture * size, (picture + 1) * size), place * size);
    mask.data.fill(1, place * h * w, (place + 1) * h * w);
  }
  const { waveform, sampleRate } = audio;
  const samples = waveform.shape[2];
  const start = index * (length / FRAMES_A_SECOND);
  const end = Math.min(start + length / FRAMES_A_SECOND, duration);
  const last = Math.min(toInteger(end * sampleRate), samples);
  const first = Math.min(toInteger(start * sampleRate), last);
  return [frames, mask, { waveform: sliceAxis(waveform, 2, first, last), sampleRate }] as const;
}

export const padKeyframes = define({
  name: 'WanDancerPadKeyframes',
  description: 'One segment of a film: its keyframes in their places, black frames between them.',
  inputs: {
    images: image({}),
    segment_length: segmentLength(),
    segment_index: int({ default: 0, min: 0, max: 100 }),
    audio: audio(),
  },
  outputs: [
    { type: 'IMAGE', name: 'keyframes_sequence' },
    { type: 'MASK', name: 'keyframes_mask' },
    { type: 'AUDIO', name: 'audio_segment' },
  ],
  run: ({ images, segment_length, segment_index, audio }) =>
    segment(images, segment_length, segment_index, audio),
});

export const padKeyframesList = define({
  name: 'WanDancerPadKeyframesList',
  description: 'The first segments of a film, each with its keyframes in their places.',
  inputs: {
    images: image({}),
    segment_length: segmentLength(),
    num_segments: int({ default: 1, min: 1, max: 100 }),
    audio: audio(),
  },
  outputs: [
    { type: 'IMAGE', name: 'keyframes_sequence', list: true },
    { type: 'MASK', name: 'keyframes_mask', list: true },
    { type: 'AUDIO', name: 'audio_segment', list: true },
  ],
  run: ({ images, segment_length, num_segments, audio }) => {
    const all = Array.from({ length: num_segments }, (_, i) =>
      segment(images, segment_length, i, audio),
    );
    return [0, 1, 2].map((k) => all.map((parts) => parts[k]));
  },
});

export const keyframeNodes: readonly NodeDefinition[] = [padKeyframes, padKeyframesList];
