import { describe, expect, it } from 'vitest';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { ops } from '../../../engine/tensor/ops/index.ts';
import { decomposed } from '../../../engine/tensor/tensor.ts';
import { topologicalOrder, trace } from '../../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import { opCases } from '../onnx/op-cases.ts';

const names = Object.entries(ops).flatMap(([name, op]) => (op.decompose ? [name] : []));
const cases = opCases.filter(({ name }) => names.includes(/^\w+/.exec(name)![0]));

it('every decomposition has a case', () => {
  expect(new Set(cases.map(({ name }) => /^\w+/.exec(name)![0]))).toEqual(new Set(names));
});

describe('a decomposition computes what the kernel of its op computes', () => {
  it.each(cases)('$name', async ({ weights, inputs = {}, build }) => {
    const program = trace('op', randomSource(weights), (g) => {
      const whole = build(g);
      return { whole, steps: decomposed(whole)! };
    });
    const given = Object.entries(inputs).map(([name, shape], i) => {
      const data = randomFloats(
        shape.reduce((n, dim) => n * dim, 1),
        100 + i,
      );
      return [name, { data, shape }] as const;
    });
    const { whole, steps } = await interpret(program, Object.fromEntries(given));
    expect(steps.shape).toEqual(whole.shape);
    steps.data.forEach((value, i) => expect(value).toBeCloseTo(whole.data[i], 10));
  });
});

it('consists of primitives', () => {
  for (const { weights, build } of cases) {
    trace('op', randomSource(weights), (g) => {
      const whole = build(g);
      const steps = topologicalOrder([decomposed(whole)!]);
      const own = steps.filter((step) => !topologicalOrder(whole.inputs).includes(step));
      expect(own.filter(({ op }) => names.includes(op.name))).toEqual([]);
      return { whole };
    });
  }
});
