/**
 * Oracle: tests/fixtures/sound.json, what ComfyUI 0.3.64's nodes give for the same inputs; resampling there
 * is torchaudio's published formula (sinc under a Hann window, width 6, roll-off 0.99) in torch.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nd, sizeOf } from '../../engine/array/nd.ts';
import { resampleSound } from '../../engine/array/resample-sound.ts';
import type { NodeContext, NodeDefinition } from '../../engine/graph/definition.ts';
import type { Audio } from '../../engine/values/audio.ts';
import * as nodes from '../../nodes/audio.ts';
import { assertLikeReference } from '../support/object-info.ts';

interface Sound {
  readonly shape: readonly number[];
  readonly rate: number;
  readonly data: readonly number[];
}
const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/sound.json', import.meta.url), 'utf8'),
) as Record<string, readonly Sound[]> & {
  readonly resample: readonly { from: number; to: number; data: readonly number[] }[];
};

/** The numbers that the fixture was computed from. */
function sound(shape: readonly number[], phase: number, sampleRate: number, most = 1.7): Audio {
  const value = (i: number): number => (Math.sin(i * 0.7 + phase) * most * ((i * 31) % 17)) / 17;
  return {
    waveform: nd(
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)),
      shape,
    ),
    sampleRate,
  };
}

const run = (node: NodeDefinition, inputs: Record<string, unknown>): Audio[] =>
  node.run(inputs, {} as NodeContext) as Audio[];

function expectSounds(actual: readonly Audio[], name: string): void {
  expect(actual.length).toBe(fixture[name].length);
  fixture[name].forEach(({ shape, rate, data }, i) => {
    expect(actual[i].waveform.shape).toEqual(shape);
    expect(actual[i].sampleRate).toBe(rate);
    expectNear(actual[i].waveform.data, data);
  });
}

function expectNear(actual: Float32Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) =>
    expect(Math.abs(actual[i] - value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value))),
  );
}

describe('sound', () => {
  it.each(nodes.audioNodes.map((node) => [node.name, node] as const))(
    '%s prints as the reference',
    (_, node) => assertLikeReference(node),
  );

  it.each(fixture.resample)('from $from to $to samples a second', ({ from, to, data }) => {
    const { waveform } = sound([1, 1, 23], 5, from, 0.9);
    expectNear(resampleSound(waveform, from, to).data, data);
  });

  it('takes no time for rates that have no common divisor', () => {
    const { waveform } = sound([1, 1, 4000], 0, 1);
    expect(resampleSound(waveform, 44101, 191999).shape).toEqual([1, 1, 17415]);
    expect(() => resampleSound(waveform, 0, 8000)).toThrow('sample_rate');
  });

  it('is joined, in stereo and at the higher rate', () => {
    const join = (audio1: Audio, audio2: Audio, direction: string) =>
      run(nodes.audioConcat, { audio1, audio2, direction });
    const plain = join(sound([1, 1, 5], 0, 8000), sound([1, 2, 4], 1, 8000), 'after');
    expectSounds(plain, 'concat');
    const rates = join(sound([1, 2, 6], 0, 12000), sound([1, 1, 9], 1, 8000), 'before');
    expectSounds(rates, 'concat-rates');
    const up = join(sound([1, 2, 20], 0, 44100), sound([1, 2, 3], 1, 48000), 'after');
    expectSounds(up, 'up');
    expect(() => join(sound([2, 2, 5], 0, 8), sound([1, 2, 4], 1, 8), 'after')).toThrow('audio2');
  });

  it('is mixed, never louder than 1', () => {
    const audio1 = sound([1, 2, 6], 0, 8000);
    const audio2 = sound([1, 1, 4], 1, 8000);
    for (const merge_method of ['add', 'mean', 'subtract', 'multiply']) {
      const mixed = run(nodes.audioMerge, { audio1, audio2, merge_method });
      expectSounds(mixed, `merge-${merge_method}`);
    }
    const rates = { audio1: sound([2, 1, 6], 0, 11025), audio2: sound([1, 2, 8], 1, 8000) };
    expectSounds(run(nodes.audioMerge, { ...rates, merge_method: 'add' }), 'merge-rates');
  });

  it.each([1, -7, 40])('is made louder by %i dB', (volume) => {
    const audio = sound([1, 2, 3], 2, 8000);
    expectSounds(run(nodes.audioAdjustVolume, { audio, volume }), `volume${volume}`);
    expect(run(nodes.audioAdjustVolume, { audio, volume: 0 })[0]).toBe(audio);
  });

  it.each([
    [0.25, 0.5],
    [-0.3, 9],
    [0.05, 0.15],
  ])('is cut from %d s on, %d s long', (start_index, duration) => {
    const audio = sound([1, 2, 10], 3, 10);
    const cut = run(nodes.trimAudioDuration, { audio, start_index, duration });
    expectSounds(cut, `trim${start_index},${duration}`);
    expect(() => run(nodes.trimAudioDuration, { audio, start_index, duration: 0 })).toThrow(
      'duration',
    );
  });

  it('is taken apart into two channels and put together again', () => {
    const audio = sound([2, 2, 3], 4, 8000);
    const [audio_left, audio_right] = run(nodes.splitAudioChannels, { audio });
    expectSounds([audio_left, audio_right], 'split');
    expect(run(nodes.joinAudioChannels, { audio_left, audio_right })).toEqual([audio]);
    const mono = sound([1, 1, 3], 4, 8000);
    expect(() => run(nodes.splitAudioChannels, { audio: mono })).toThrow('two channels');
    const shorter = run(nodes.joinAudioChannels, {
      audio_left: mono,
      audio_right: sound([1, 1, 2], 0, 8000),
    });
    expect(shorter[0].waveform.shape).toEqual([1, 2, 2]);
  });

  it('is silent', () => {
    const empty = (duration: number, sample_rate: number) =>
      run(nodes.emptyAudio, { duration, sample_rate, channels: 2 });
    // Python's round: half a sample is none, one and a half are two.
    expect(empty(0.05, 10)[0].waveform.shape).toEqual([1, 2, 0]);
    expect(empty(0.15, 10)[0].waveform.shape).toEqual([1, 2, 2]);
    expect(() => empty(1e12, 44100)).toThrow('duration');
    expect(() => empty(1, -1)).toThrow('sample_rate');
  });
});
