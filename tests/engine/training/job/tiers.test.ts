/** Every key of every section that is not implemented: what happens when a file sets it. */
import { describe, expect, it } from 'vitest';
import { newReading } from '../../../../engine/training/job/findings.ts';
import { readSection } from '../../../../engine/training/job/read-section.ts';
import type { Row, Rows } from '../../../../engine/training/job/row.ts';
import { datasetRows } from '../../../../engine/training/job/sections/dataset.ts';
import { modelRows } from '../../../../engine/training/job/sections/model.ts';
import { networkRows } from '../../../../engine/training/job/sections/network.ts';
import { processRows } from '../../../../engine/training/job/sections/process.ts';
import { promptRows, sampleRows } from '../../../../engine/training/job/sections/sample.ts';
import { loggingRows, saveRows } from '../../../../engine/training/job/sections/save.ts';
import { trainRows } from '../../../../engine/training/job/sections/train.ts';

const sections: Readonly<Record<string, Rows>> = {
  network: networkRows,
  train: trainRows,
  model: modelRows,
  datasets: datasetRows,
  save: saveRows,
  logging: loggingRows,
  sample: sampleRows,
  samples: promptRows,
  process: processRows,
};

/** What is found in a section where this is all that it says. */
function found(rows: Rows, name: string, value: unknown): { line?: string; problem?: string } {
  const reading = newReading((path) => path);
  readSection(rows, { [name]: value }, 'x.', reading);
  const problem = reading.problems.find((one) => !one.endsWith(' is missing'));
  return { line: reading.substitutions[0], problem };
}

describe.each(Object.entries(sections))('%s', (_, rows) => {
  const keys = Object.entries<Row>(rows).map(
    ([name, row]) => [name.replace('*', 'anything'), row] as const,
  );

  it.each(keys.filter(([, { tier }]) => tier === 'refused'))('refuses %s', (name, row) => {
    const { why } = row as { why: string };
    expect(found(rows, name, 'something').problem).toBe(`x.${name} is not supported: ${why}`);
    expect(found(rows, name, row.otherwise).problem).toBeUndefined();
  });

  it.each(keys.filter(([, { tier }]) => tier === 'ignored'))('says so of %s', (name, row) => {
    const { why } = row as { why: string };
    expect(found(rows, name, 'something').line).toBe(`x.${name}: something -> ignored (${why})`);
    expect(found(rows, name, row.otherwise)).toEqual({});
  });

  it('has defaults that its own keys take', () => {
    for (const [name, row] of keys) {
      if (row.tier !== 'implemented' || row.otherwise === undefined) continue;
      if (typeof row.otherwise === 'object' && !Array.isArray(row.otherwise)) continue;
      expect(found(rows, name, row.otherwise), name).toEqual({});
    }
  });
});
