import { describe, expect, it } from 'vitest';
import { scheduleOf } from '../../../engine/training/schedules.ts';

const rates = (name: string, given: object, steps: number, at: readonly number[]): number[] => {
  const schedule = scheduleOf(name, given as Record<string, number>, steps);
  return at.map((t) => Number(schedule(t, 2).toFixed(9)));
};

describe('scheduleOf', () => {
  it('lasts as many steps as there are, or as the settings say', () => {
    expect(rates('linear', {}, 4, [0, 2, 4, 9])).toEqual([0.666666667, 1.333333333, 2, 2]);
    expect(rates('linear', { max_iterations: 2 }, 4, [0, 2])).toEqual([0.666666667, 2]);
    expect(rates('constant', { factor: 0.5, total_iters: 3 }, 4, [2, 3])).toEqual([1, 2]);
    expect(rates('cosine', { T_max: 2, eta_min: 1 }, 4, [0, 1, 2, 3, 4])).toEqual([
      2, 1.5, 1, 1.5, 2,
    ]);
  });

  it('restarts, each time after T_mult times as many steps', () => {
    const given = { T_0: 2, T_mult: 3 };
    expect(rates('cosine_with_restarts', given, 9, [0, 1, 2, 5, 7, 8])).toEqual([
      2, 1, 2, 1, 0.133974596, 2,
    ]);
  });

  it('rises first where warm-up steps are given', () => {
    expect(rates('linear', { num_warmup_steps: 2 }, 6, [0, 1, 2, 4, 6, 9])).toEqual([
      0, 1, 2, 1, 0, 0,
    ]);
    expect(rates('constant', { num_warmup_steps: 2 }, 6, [1, 2, 9])).toEqual([1, 2, 2]);
    expect(rates('constant_with_warmup', {}, 6, [0, 500, 1000])).toEqual([0, 1, 2]);
    expect(rates('polynomial', { lr_end: 1, power: 2 }, 4, [0, 2, 4, 9])).toEqual([2, 1.25, 1, 1]);
  });

  it('is defined where everything is warm-up', () => {
    expect(rates('linear', { num_warmup_steps: 6 }, 6, [5, 6, 7])).toEqual([1.666666667, 2, 0]);
  });

  it.each([
    ['nonesuch', {}, 'Scheduler must be cosine, cosine_with_restarts, step, linear or constant'],
    ['toString', {}, 'Scheduler must be cosine'],
    ['step', {}, 'lr_scheduler step: step_size: expected a number of steps, got null'],
    ['step', { step_size: 0 }, 'step_size: expected a whole number above 0, or null, got 0'],
    [
      'step',
      { step_size: 3, num_warmup_steps: 1 },
      'expected one of the settings step_size, gamma',
    ],
    [
      'cosine',
      { T_max: 1.5 },
      'lr_scheduler cosine: T_max: expected a whole number above 0, got 1.5',
    ],
    ['linear', { max_iterations: -1 }, 'max_iterations: expected a whole number above 0, got -1'],
  ])('%s %j is refused', (name, given, message) => {
    expect(() => scheduleOf(name, given as Record<string, number>, 10)).toThrow(message);
  });
});
