/** Oracle: the host interpreter (engine/tensor/interpret.ts), written from the definitions. */
import { describe, expect, it } from 'vitest';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';
import { openSession, type SessionInput } from '../../../engine/runtime/session.ts';
import { type HostInput, interpret } from '../../../engine/tensor/interpret.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import { type OpCase, opCases } from './op-cases.ts';

/** Everything in half precision, but for the one op that the CPU has no such kernel of. */
const halves: Provider = {
  ...providers.portable,
  name: 'portable in halves',
  compute: 'f16',
  exact: ({ op }) => op.name === 'scatterAdd',
};

describe.each([providers.cpu, providers.portable, halves])('$name', (provider) => {
  it.each(opCases)('$name', async (testCase) => {
    const program = trace('op', randomSource(testCase.weights), (g) => ({ y: testCase.build(g) }));
    const inputs = inputsOf(testCase);
    const expected = (await interpret(program, hostInputs(inputs))).y;
    const session = await openSession(program, { provider, threads: 1 });
    const { y } = await session.run(inputs);
    await session.release();
    expect(y.shape).toEqual(expected.shape);
    const tolerance = provider.compute === 'f16' ? 4e-3 : (testCase.tolerance ?? 2e-6);
    y.data.forEach((value, i) => {
      const allowed = tolerance * (1 + Math.abs(expected.data[i]));
      if (!(Math.abs(value - expected.data[i]) <= allowed)) {
        expect.fail(`element ${i}: expected ${expected.data[i]}, got ${value}`);
      }
    });
  });
});

function inputsOf({ inputs = {}, ids = {} }: OpCase): Record<string, SessionInput> {
  const floats = Object.entries(inputs).map(([name, shape], i) => {
    const data = randomFloats(
      shape.reduce((n, dim) => n * dim, 1),
      100 + i,
    );
    return [name, { data, shape }] as const;
  });
  return { ...Object.fromEntries(floats), ...ids };
}

function hostInputs(inputs: Readonly<Record<string, SessionInput>>): Record<string, HostInput> {
  const entries = Object.entries(inputs).map(([name, input]) => {
    const data = 'ids' in input ? Array.from(input.ids as readonly number[]) : input.data;
    return [name, { data, shape: input.shape }] as const;
  });
  return Object.fromEntries(entries);
}
