/** An op case on a provider, against the host interpreter (engine/tensor/interpret.ts). */
import { expect } from 'vitest';
import type { Provider } from '../../../engine/runtime/providers.ts';
import {
  type DeviceArray,
  type SessionInput,
  openSession,
} from '../../../engine/runtime/session.ts';
import { type HostInput, interpret } from '../../../engine/tensor/interpret.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import type { OpCase } from './op-cases.ts';

/** Fails where a number differs from the interpreter's by more than `tolerance * (1 + |its number|)`. */
export async function expectLikeInterpreter(
  testCase: OpCase,
  provider: Provider,
  tolerance: number,
): Promise<void> {
  const program = trace('op', randomSource(testCase.weights), (g) => ({ y: testCase.build(g) }));
  const inputs = inputsOf(testCase);
  const expected = (await interpret(program, hostInputs(inputs))).y;
  const session = await openSession(program, { provider, threads: 1 });
  const { y } = await session.run(inputs).finally(() => session.release());
  expect(y.shape).toEqual(expected.shape);
  y.data.forEach((value, i) => {
    const allowed = tolerance * (1 + Math.abs(expected.data[i]));
    if (!(Math.abs(value - expected.data[i]) <= allowed)) {
      expect.fail(`element ${i}: expected ${expected.data[i]}, got ${value}`);
    }
  });
}

type HostArray = Exclude<SessionInput, DeviceArray>;

function inputsOf({ inputs = {}, ids = {} }: OpCase): Record<string, HostArray> {
  const floats = Object.entries(inputs).map(([name, shape], i) => {
    const data = randomFloats(
      shape.reduce((n, dim) => n * dim, 1),
      100 + i,
    );
    return [name, { data, shape }] as const;
  });
  return { ...Object.fromEntries(floats), ...ids };
}

function hostInputs(inputs: Readonly<Record<string, HostArray>>): Record<string, HostInput> {
  const entries = Object.entries(inputs).map(([name, input]) => {
    const data = 'ids' in input ? Array.from(input.ids as readonly number[]) : input.data;
    return [name, { data, shape: input.shape }] as const;
  });
  return Object.fromEntries(entries);
}
