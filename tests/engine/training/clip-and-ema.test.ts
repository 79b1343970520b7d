import { describe, expect, it } from 'vitest';
import { clipGradient } from '../../../engine/training/clip.ts';
import { averageDefaults, updateAverage } from '../../../engine/training/ema.ts';

describe('clipGradient', () => {
  it('shortens to the norm, and tells the one before', () => {
    const gradient = Float32Array.of(3, 4);
    expect(clipGradient(gradient, 2.5)).toBe(5);
    expect(Math.hypot(...gradient)).toBeCloseTo(2.5, 5);
  });

  it('leaves shorter ones as they are', () => {
    const gradient = Float32Array.of(3, -4);
    clipGradient(gradient, 5.1);
    clipGradient(gradient, Infinity);
    expect(gradient).toEqual(Float32Array.of(3, -4));
  });
});

describe('updateAverage', () => {
  it('follows the numbers and leaves them alone', () => {
    const [average, trained] = [Float32Array.of(1), Float32Array.of(2)];
    updateAverage(average, trained, { ...averageDefaults, ema_decay: 0.75 });
    expect([average, trained]).toEqual([Float32Array.of(1.25), Float32Array.of(2)]);
  });

  it('pushes them away with feedback, and scales them', () => {
    const [average, trained] = [Float32Array.of(3), Float32Array.of(2)];
    updateAverage(average, trained, { ema_decay: 0.75, use_feedback: true, param_multiplier: 0.5 });
    expect([average, trained]).toEqual([Float32Array.of(2.75), Float32Array.of(2.25)]);
  });
});
