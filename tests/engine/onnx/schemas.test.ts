/**
 * Every model that a lowering table writes fits ONNX Runtime's operator schemas: the ops one by one, each
 * architecture, and the networks of released models at full size.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { lower } from '../../../engine/onnx/lower.ts';
import type { Provider } from '../../../engine/runtime/provider.ts';
import { deviceKinds, providers } from '../../../engine/runtime/providers.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { removeUnpacked } from '../../golden/open-case.ts';
import { schemaProblems } from '../../support/ort-schemas.ts';
import { fullPrograms, tinyPrograms } from '../../support/programs.ts';
import { randomSource } from '../../support/random-weights.ts';
import { opCases } from './op-cases.ts';

/** Every row of every device, and the one that runs everywhere. */
const rows: readonly (readonly [string, Provider])[] = [
  ['portable', providers.portable],
  ...Object.entries(deviceKinds).flatMap(([kind, precisions]) =>
    Object.entries(precisions).map(
      ([precision, { provider }]) => [`${kind} in ${precision}`, provider] as const,
    ),
  ),
];

/** As on a machine with wide vectors, so that blocked convolutions are written too. */
const facts = { block: 8, bits: 7 };

describe.each(rows)('%s', (_, provider) => {
  const target = provider.probe === providers.cpu.probe ? { ...provider, ...facts } : provider;

  it('every op', () => {
    const problems = opCases.flatMap(({ name, weights, build }) => {
      const program = trace('op', randomSource(weights), (g) => ({ y: build(g) }));
      return schemaProblems(lower(program, target)).map((problem) => `${name}: ${problem}`);
    });
    expect(problems).toEqual([]);
  });

  it.each(Object.keys({ ...tinyPrograms, ...fullPrograms }))('%s', async (name) => {
    const program = await { ...tinyPrograms, ...fullPrograms }[name]();
    expect(schemaProblems(lower(program, target))).toEqual([]);
  });
});

afterAll(removeUnpacked);
