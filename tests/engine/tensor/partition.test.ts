import { describe, expect, it } from 'vitest';
import { ops } from '../../../engine/tensor/ops/index.ts';
import { partition } from '../../../engine/tensor/partition.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { layerNorm, linear } from '../../../engine/tensor/layers.ts';
import { add, constant, mul, rearrange, silu } from '../../../engine/tensor/nn.ts';
import { type Program, trace } from '../../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';

const source = randomSource({
  'one.weight': { shape: [4, 4], dtype: 'F16' },
  'norm.weight': [4],
  'norm.bias': [4],
  'two.weight': [4, 4],
  'three.weight': [4, 4],
});

/** `one`, then `two`, then `three`, with a skip over all and a weight that two parts read. */
const program = (): Program =>
  trace('net', source, ({ input, weights: w }) => {
    const x = input('x', 'f32', ['batch', 4, 'height', 'width']);
    const tokens = rearrange(x, 'b c h w -> b (h w) c');
    const one = w.at('one').site({ tokens }, ({ tokens }) => linear(w.at('one'), tokens));
    const normed = layerNorm(w.at('norm'), one);
    const two = w.at('two').site({ normed }, () => silu(linear(w.at('two'), normed)));
    const again = layerNorm(w.at('norm'), add(two, mul(one, constant([1, 2, 3, 4]))));
    const three = add(linear(w.at('three'), again), tokens);
    const [h, width] = x.shape.slice(2);
    return { y: rearrange(three, 'b (h w) c -> b c h w', { h, w: width }), two };
  });

const x = { data: randomFloats(2 * 4 * 3 * 5), shape: [2, 4, 3, 5] };

describe('partition', () => {
  it('gives programs whose weights and inputs are what they need', () => {
    const whole = program();
    const parts = partition(whole, [whole.sites.get('one')!, whole.sites.get('two')!]);
    const shown = parts.map(({ inputs, outputs, usage }) => ({
      inputs: inputs.map(({ attrs }) => attrs.name),
      outputs: Object.keys(outputs),
      weights: [...usage.used].sort(),
    }));
    const norm = ['norm.bias', 'norm.weight'];
    expect(shown).toEqual([
      { inputs: ['x'], outputs: ['cut/0', 'cut/2'], weights: ['one.weight'] },
      { inputs: ['cut/0'], outputs: ['cut/1', 'two'], weights: [...norm, 'two.weight'] },
      // x is asked for its height and width only
      {
        inputs: ['cut/1', 'cut/0', 'cut/2', 'x'],
        outputs: ['y'],
        weights: [...norm, 'three.weight'],
      },
    ]);
  });

  it('computes what the whole computes, wherever it is cut', async () => {
    const whole = program();
    const expected = await interpret(whole, { x });
    const computed = whole.nodes.filter(({ op }) => op !== ops.input && op !== ops.param);
    for (let i = 0; i + 3 < computed.length; i++) {
      const values: Record<string, { data: ArrayLike<number>; shape: readonly number[] }> = { x };
      for (const part of partition(whole, [computed[i], computed[i + 3]])) {
        Object.assign(values, await interpret(part, values));
      }
      expect(values['y']).toEqual(expected.y);
      expect(values['two']).toEqual(expected.two);
    }
  });

  it('of no cuts, or of cuts that leave nothing, is the program', () => {
    const whole = program();
    expect(partition(whole, [])).toHaveLength(1);
    expect(partition(whole, [whole.outputs['y'], whole.sites.get('one')!])).toHaveLength(1);
    expect(partition(partition(whole, [whole.sites.get('one')!])[1], [])).toHaveLength(1);
  });

  it('refuses cuts that are not of the program', () => {
    expect(() => partition(program(), [program().sites.get('one')!])).toThrow(
      'net: a cut (linear @one) is no part of the program',
    );
  });
});
