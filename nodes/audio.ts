/** Sound cut, joined and mixed, without files. */
import { concat, sliceAxis } from '../engine/array/batch.ts';
import { map, zip } from '../engine/array/elementwise.ts';
import { zeros } from '../engine/array/nd.ts';
import { clamp, roundHalfEven } from '../engine/array/round.ts';
import { NoodleError } from '../engine/errors.ts';
import { combo, Float, float, inModule, int, nullable, socket } from '../engine/node.ts';
import type { NDArray, NodeDefinition } from '../engine/node.ts';
import { atOneRate, spread } from '../engine/values/audio.ts';
import type { Audio } from '../engine/values/audio.ts';

const AUDIO = { type: 'AUDIO' } as const;
const define = inModule('comfy_extras.nodes_audio', 'v1', { category: 'audio', outputs: [AUDIO] });

const PARTS = ['waveform', 'sampleRate'];
const audio = () => socket<Audio>('AUDIO', undefined, PARTS);
/** None where nothing came. */
const joined = () => nullable(socket<Audio>('AUDIO', {}, PARTS));
const MAX_UINT64 = 18446744073709551615n;
/** Values of a waveform, of 4 bytes each. */
const MOST_VALUES = 2 ** 30;

/** BAD_INPUT unless it holds. */
function need(holds: boolean, subject: string, expected: string, got: unknown): void {
  if (!holds) throw new NoodleError('BAD_INPUT', { subject, expected, got });
}

export const emptyAudio = define({
  name: 'EmptyAudio',
  displayName: 'Empty Audio',
  description: 'Silence.',
  inputs: {
    duration: float({ default: 60, min: 0, max: MAX_UINT64, step: 0.01 }),
    sample_rate: int({ default: 44100 }),
    channels: int({ default: 2, min: 1, max: 2 }),
  },
  run: ({ duration, sample_rate, channels }) => {
    need(sample_rate > 0, 'sample_rate', 'at least 1', sample_rate);
    const samples = roundHalfEven(duration * sample_rate);
    const most = `at most ${MOST_VALUES} samples in all channels together`;
    need(samples * channels <= MOST_VALUES, 'duration', most, duration);
    return [{ waveform: zeros([1, channels, samples]), sampleRate: sample_rate }];
  },
});

export const trimAudioDuration = define({
  name: 'TrimAudioDuration',
  displayName: 'Trim Audio Duration',
  description: 'A part of a sound; a negative start counts from its end. Both in seconds.',
  inputs: {
    audio: audio(),
    start_index: float({ default: 0, min: -MAX_UINT64, max: MAX_UINT64, step: 0.01 }),
    duration: float({ default: 60, min: 0, step: 0.01 }),
  },
  run: ({ audio, start_index, duration }) => {
    const { waveform, sampleRate } = audio;
    const length = waveform.shape[2];
    const offset = roundHalfEven(start_index * sampleRate);
    const start = Math.max(0, Math.min(start_index < 0 ? length + offset : offset, length - 1));
    const end = clamp(start + roundHalfEven(duration * sampleRate), 0, length);
    need(start < end, 'duration', 'at least one sample of the audio', duration);
    return [{ waveform: sliceAxis(waveform, 2, start, end), sampleRate }];
  },
});

export const splitAudioChannels = define({
  name: 'SplitAudioChannels',
  displayName: 'Split Audio Channels',
  description: 'The left and the right channel, each as a sound.',
  inputs: { audio: audio() },
  outputs: [
    { type: 'AUDIO', name: 'left' },
    { type: 'AUDIO', name: 'right' },
  ],
  run: ({ audio: { waveform, sampleRate } }) => {
    const channels = waveform.shape[1];
    need(channels === 2, 'audio', 'two channels', channels);
    return [0, 1].map((i) => ({ waveform: sliceAxis(waveform, 1, i, i + 1), sampleRate }));
  },
});

export const audioConcat = define({
  name: 'AudioConcat',
  displayName: 'Audio Concat',
  description: 'One sound after the other, in stereo, at the higher sample rate.',
  inputs: {
    audio1: audio(),
    audio2: audio(),
    direction: combo(['after', 'before'] as const, { default: 'after' }),
  },
  run: ({ audio1, audio2, direction }) => {
    const { a, b, sampleRate } = atOneRate(audio1, audio2);
    const [first, second] = [a, b].map((x) => spread(x, 1, 2));
    const [batch, channels] = first.shape;
    const fits = second.shape[0] === batch && second.shape[1] === channels;
    need(fits, 'audio2', `shape [${batch}, ${channels}, samples]`, second.shape);
    const parts = direction === 'after' ? [first, second] : [second, first];
    return [{ waveform: concat(parts, 2), sampleRate }];
  },
});

/** As long as `length`: cut, or with silence behind it. */
function withLength(x: NDArray, length: number): NDArray {
  const [batch, channels, samples] = x.shape;
  if (samples >= length) return sliceAxis(x, 2, 0, length);
  return concat([x, zeros([batch, channels, length - samples])], 2);
}

const MIXES = {
  add: (a: number, b: number) => a + b,
  mean: (a: number, b: number) => Math.fround(a + b) / 2,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
} as const;

export const audioMerge = define({
  name: 'AudioMerge',
  displayName: 'Audio Merge',
  description: 'Two sounds at once, as long as the first; quieter where they would be too loud.',
  inputs: {
    audio1: audio(),
    audio2: audio(),
    merge_method: combo(['add', 'mean', 'subtract', 'multiply'] as const, {}),
  },
  run: ({ audio1, audio2, merge_method }) => {
    const { a, b, sampleRate } = atOneRate(audio1, audio2);
    const sizes = [0, 1].map((axis) => Math.max(a.shape[axis], b.shape[axis]));
    const [first, second] = [a, b].map((x) => spread(x, sizes[0], sizes[1]));
    for (const { shape } of [first, second]) {
      const fits = shape[0] === sizes[0] && shape[1] === sizes[1];
      need(fits, 'audio2', 'as many channels as audio1, or one', b.shape);
    }
    const mixed = zip(first, withLength(second, first.shape[2]), MIXES[merge_method]);
    const loudest = mixed.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const waveform = loudest > 1 ? map(mixed, (value) => value / loudest) : mixed;
    return [{ waveform, sampleRate }];
  },
});

export const audioAdjustVolume = define({
  name: 'AudioAdjustVolume',
  displayName: 'Audio Adjust Volume',
  description: 'Louder or quieter, in decibels: +6 is about twice, -6 half.',
  inputs: { audio: audio(), volume: int({ default: new Float(1), min: -100, max: 100 }) },
  run: ({ audio, volume }) => {
    if (volume === 0) return [audio];
    const gain = Math.fround(10 ** (volume / 20));
    return [{ ...audio, waveform: map(audio.waveform, (value) => value * gain) }];
  },
});

/** Part of 0.33. */
export const joinAudioChannels = inModule(
  'comfy_extras.nodes_audio',
  'v3',
)({
  name: 'JoinAudioChannels',
  displayName: 'Join Audio Channels',
  category: 'audio',
  description: 'A stereo sound of two that have one channel, as long as the shorter one.',
  inputs: { audio_left: joined(), audio_right: joined() },
  outputs: [{ type: 'AUDIO', name: 'audio' }],
  run: ({ audio_left, audio_right }) => {
    if (audio_left === null || audio_right === null) return [audio_left ?? audio_right];
    for (const { waveform } of [audio_left, audio_right]) {
      need(waveform.shape[1] === 1, 'audio', 'one channel', waveform.shape[1]);
    }
    const { a, b, sampleRate } = atOneRate(audio_left, audio_right);
    const length = Math.min(a.shape[2], b.shape[2]);
    const channels = [a, b].map((x) => sliceAxis(x, 2, 0, length));
    return [{ waveform: concat(channels, 1), sampleRate }];
  },
});

export const audioNodes: readonly NodeDefinition[] = [
  trimAudioDuration,
  splitAudioChannels,
  audioConcat,
  audioMerge,
  audioAdjustVolume,
  emptyAudio,
  joinAudioChannels,
];
