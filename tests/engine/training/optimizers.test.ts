import { describe, expect, it } from 'vitest';
import { norm } from '../../../engine/training/clip.ts';
import { createOptimizer, optimizers } from '../../../engine/training/optimizers/index.ts';
import type { Optimizer, OptimizerState } from '../../../engine/training/optimizers/optimizer.ts';
import {
  substitutes,
  trainerDefaults,
} from '../../../engine/training/optimizers/trainer-defaults.ts';
import { layOut } from '../../../engine/training/parameters.ts';
import type { Settings } from '../../../engine/training/settings.ts';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';

/** A large tensor (8-bit moments, a short last block), a convolution, a vector and a scalar. */
const layout = layOut([
  ['large', [70, 61]],
  ['convolution', [4, 3, 3, 3]],
  ['vector', [7]],
  ['scalar', []],
]);
const normals = (seed: number): Float32Array =>
  new TorchGenerator(BigInt(seed)).randn([layout.size]).data;

/** Settings under which every kind remembers all that it can. */
const settings: Readonly<Record<string, Settings>> = {
  sgd: { momentum: 0.9, dampening: 0.1 },
  adam: { amsgrad: true, weight_decay: 0.1 },
  adamw8bit: { amsgrad: true },
  adafactor: { beta1: 0.9, scale_parameter: false, relative_step: false },
  rmsprop: { momentum: 0.5, centered: true },
  adagrad: { initial_accumulator_value: 0.5, lr_decay: 0.1 },
  prodigy: { weight_decay: 0.1, use_bias_correction: true },
};

const start = (): Float32Array => normals(0);
const made = (name: string): Optimizer =>
  createOptimizer(name, layout, settings[name] ?? {}, start());
const copied = (state: OptimizerState): OptimizerState => structuredClone(state);

function steps(optimizer: Optimizer, values: Float32Array, from: number, to: number): void {
  for (let t = from; t < to; t++) optimizer.step(values, normals(t + 1), () => 0.01);
}

describe.each(Object.keys(optimizers))('%s', (name) => {
  it('goes on from a saved state as if it had not stopped', () => {
    const whole = start();
    steps(made(name), whole, 0, 4);

    const parted = start();
    const first = made(name);
    steps(first, parted, 0, 2);
    const second = made(name);
    second.restore(copied(first.state()));
    expect(second.state()).toEqual(first.state());
    steps(second, parted, 2, 4);
    expect(parted).toEqual(whole);
    expect(whole).not.toEqual(start());
  });

  it('does not move tensors whose rate is 0', () => {
    const values = start();
    const optimizer = createOptimizer(name, layout, { ...settings[name] }, start());
    for (let t = 0; t < 2; t++) {
      optimizer.step(values, normals(t + 1), (of) => (of.name === 'vector' ? 0 : 0.01));
    }
    const { offset, size } = layout.list[2];
    expect(values.subarray(offset, offset + size)).toEqual(start().subarray(offset, offset + size));
  });

  it('refuses states of another layout and is then as before', () => {
    const optimizer = made(name);
    const before = copied(optimizer.state());
    const other = createOptimizer(
      name,
      layOut([['large', [70, 60]]]),
      settings[name] ?? {},
      new Float32Array(4200),
    );
    if (Object.keys(before.vectors).length > 0) {
      expect(() => optimizer.restore(other.state())).toThrow(/optimiser state: .*: expected/);
    }
    expect(() => optimizer.restore({ ...before, numbers: {} })).toThrow(/optimiser state: numbers/);
    expect(optimizer.state()).toEqual(before);
  });

  it('takes every setting of its trainer', () => {
    const given = trainerDefaults[name]?.settings ?? {};
    expect(() => createOptimizer(name, layout, given, start())).not.toThrow();
  });
});

describe('createOptimizer', () => {
  const make = (name: string, given: Record<string, never>): unknown =>
    createOptimizer(name, layout, given, start());

  it('knows names in any case', () => {
    expect(() => make('AdamW', {})).not.toThrow();
  });

  it.each([
    ['constructor', {}, 'optimizer: expected one of adam, adamw'],
    [
      'adam',
      { betas: [0.9] },
      'adam: betas: expected a list of 2, each a number from 0 to below 1',
    ],
    ['adam', { betas: [0.9, 1] }, 'adam: betas'],
    ['adam', { eps: '1e-8' }, 'adam: eps: expected a number of 0 or more, got 1e-8'],
    ['adam', { momentum: 0.9 }, 'adam: expected one of the settings betas, eps'],
    ['adam', { __proto__x: 1 }, 'adam: expected one of the settings'],
    ['lion', { weight_decay: -1 }, 'lion: weight_decay: expected a number of 0 or more, got -1'],
    ['adamw', { amsgrad: 1 }, 'adamw: amsgrad: expected true or false, got 1'],
    ['adafactor', { beta1: NaN }, 'adafactor: beta1: expected a number from 0 to below 1, or null'],
    [
      'adafactor',
      { relative_step: false, warmup_init: true },
      'adafactor: warmup_init: expected relative_step: true, got false',
    ],
    ['sgd', { nesterov: true }, 'sgd: nesterov: expected a momentum above 0'],
  ])('%s %j: %s', (name, given, message) => {
    expect(() => make(name, given as Record<string, never>)).toThrow(message);
  });

  it('lets other optimisers stand in by names that are there', () => {
    for (const name of Object.values(substitutes)) expect(Object.keys(optimizers)).toContain(name);
  });
});

describe('prodigy', () => {
  it('has one learning rate', () => {
    const optimizer = made('prodigy');
    expect(() => optimizer.step(start(), normals(1), ({ size }) => (size > 1 ? 1 : 0.5))).toThrow(
      'prodigy: learning rates: expected the same for all tensors',
    );
  });

  it('learns nothing where nothing moves', () => {
    const optimizer = made('prodigy');
    optimizer.step(start(), normals(1), () => 0);
    expect(optimizer.state().numbers).toEqual({ step: 0, d: 1e-6, d_max: 1e-6, d_numerator: 0 });
  });

  it('trains at 1 where a job file has a small rate', () => {
    const { rate } = trainerDefaults.prodigy;
    expect([rate?.(1e-4), rate?.(0.5)]).toEqual([1, 0.5]);
  });
});

const distance = (a: Float32Array, b: Float32Array): number => norm(a.map((x, i) => x - b[i]));

describe('8-bit moments', () => {
  it.each([
    ['adam8bit', 'adam', 0.01],
    ['adamw8bit', 'adamw', 0.01],
    ['lion8bit', 'lion', 0.06], // a sign turns here and there,
  ])('%s follows %s; small tensors exactly', (name, exact, most) => {
    const [got, expected] = [name, exact].map((of) => {
      const values = start();
      steps(createOptimizer(of, layout, {}, start()), values, 0, 4);
      return values;
    });
    const { offset } = layout.list[1];
    expect(got.subarray(offset)).toEqual(expected.subarray(offset));
    expect(got).not.toEqual(expected);
    expect(distance(got, expected) / distance(start(), expected)).toBeLessThan(most);
  });

  it('take a byte for each number and four for each block of 256', () => {
    const { vectors } = createOptimizer('adamw8bit', layout, {}, start()).state();
    const small = layout.size - 4270;
    expect(Object.entries(vectors).map(([part, { length }]) => [part, length])).toEqual([
      ['exp_avg', small],
      ['exp_avg_sq', small],
      ['exp_avg.codes', 4270],
      ['exp_avg.absmax', 17],
      ['exp_avg_sq.codes', 4270],
      ['exp_avg_sq.absmax', 17],
    ]);
  });
});
