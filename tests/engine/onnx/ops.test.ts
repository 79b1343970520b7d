/** Oracle: the host interpreter (engine/tensor/interpret.ts), written from the definitions. */
import { describe, it } from 'vitest';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';
import { opCases } from './op-cases.ts';
import { expectLikeInterpreter } from './run-op-case.ts';

/** Everything in half precision, but for the one op that the CPU has no such kernel of. */
const halves: Provider = {
  ...providers.portable,
  name: 'portable in halves',
  compute: 'f16',
  exact: ({ op }) => op.name === 'scatterAdd',
};

describe.each([providers.cpu, providers.portable, halves])('$name', (provider) => {
  it.each(opCases)('$name', async (testCase) => {
    const tolerance = provider.compute === 'f16' ? 4e-3 : (testCase.tolerance ?? 2e-6);
    await expectLikeInterpreter(testCase, provider, tolerance);
  });
});
