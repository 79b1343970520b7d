/** Plans of many runs, and the texts they are read from. */
import { describe, expect, it } from 'vitest';
import { type BatchRequest, planBatch } from '../../../../engine/workflow/form/batch.ts';
import { makeForm } from '../../../../engine/workflow/form/make-form.ts';
import {
  fieldTitled,
  listedValues,
  MOST_RUNS,
  readCsv,
} from '../../../../engine/workflow/form/read-value.ts';
import { info, prompt } from './classes.ts';

const form = makeForm(prompt(), info);
const plan = (request: BatchRequest) => planBatch(form, request, () => 99);
const ownOf = (request: BatchRequest) => plan(request).runs.map((run) => Object.values(run));

describe('a plan', () => {
  it('is every value with every value, those of the last field quickest', () => {
    const vary = [
      { field: 'steps', values: [10, 20] },
      { field: '3.cfg', values: [1, 2, 3] },
    ];
    expect(plan({ vary }).runs.map((run) => [run['3.steps'], run['3.cfg']])).toEqual([
      ...[
        [10, 1],
        [10, 2],
        [10, 3],
        [20, 1],
        [20, 2],
        [20, 3],
      ],
    ]);
    expect(plan({ vary }).vary.map(({ field }) => field)).toEqual(['3.steps', '3.cfg']);
    expect(plan({ vary, count: 2, seed_mode: 'fixed' }).runs).toHaveLength(12);
  });

  it('is one run where nothing is varied', () => {
    expect(plan({ values: { steps: 3 } })).toMatchObject({ runs: [{}], values: { '3.steps': 3 } });
  });

  it('counts seeds up, from the least one again after the greatest', () => {
    expect(ownOf({ count: 3, values: { seed: 5 } })).toEqual([[5], [6], [7]]);
    const last = 2n ** 64n - 1n;
    expect(ownOf({ count: 3, values: { seed: last - 1n } })).toEqual([[last - 1n], [last], [0]]);
  });

  it('draws seeds that nobody gave, and leaves those of a list', () => {
    const random = { seed_mode: 'random', count: 2 } as const;
    expect(ownOf(random)).toEqual([[99], [99]]);
    expect(ownOf({ ...random, values: { seed: 4 } })).toEqual([[], []]);
    const vary = [{ field: 'seed', values: [1, 2] }];
    expect(ownOf({ vary, seed_mode: 'random' })).toEqual([[1], [2]]);
  });

  it('says what is wrong, and where', () => {
    const problems = (request: BatchRequest) =>
      plan(request).problems.map(({ at, detail }) => `${at.join('.')} ${detail}`);
    expect(problems({ vary: [{ field: 'nothing', values: [1] }] })).toEqual([
      'vary.0.field is no field of this form',
    ]);
    expect(problems({ vary: [{ field: 'steps', values: [1, 0, 'x'] }] })).toEqual([
      'vary.0.values.1 must be >= 1',
      'vary.0.values.2 must be a whole number',
    ]);
    expect(problems({ values: { sampler: 'none' } })).toEqual([
      'values.sampler must be one of euler, heun',
    ]);
    expect(problems({ count: MOST_RUNS + 1 })).toEqual([
      `count makes ${MOST_RUNS + 1} runs; a batch has at most ${MOST_RUNS}`,
    ]);
    expect(problems({ csv: `steps\n${'5\n'.repeat(MOST_RUNS + 10)}` })[0]).toContain(
      'runs; a batch',
    );
  });
});

describe('texts', () => {
  const field = (name: string) => form.fields.find((each) => each.name === name)!;

  it('are lists of values, and spans of numbers', () => {
    expect(listedValues(field('steps'), '1, 2;3\n4..6')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(listedValues(field('cfg'), '1..0..0.25')).toEqual([1, 0.75, 0.5, 0.25, 0]);
    expect(listedValues(field('sampler'), 'heun, euler')).toEqual(['heun', 'euler']);
    expect(listedValues(field('prompt'), 'a, b\n\nc')).toEqual(['a, b', 'c']);
    expect(listedValues(field('steps'), '1..999999999').length).toBeLessThan(MOST_RUNS + 2);
  });

  it('are tables with quotes, in any of three dividers', () => {
    expect(readCsv('\ufeffa,b\r\n"x, ""y""\nz",2\n\n3')).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['x, "y"\nz', '2'] },
      { line: 5, cells: ['3'] },
    ]);
    expect(readCsv('a;b\n1;2')[1].cells).toEqual(['1', '2']);
    expect(readCsv('a\tb')[0].cells).toEqual(['a', 'b']);
    expect(readCsv('')).toEqual([]);
    expect(fieldTitled(form.fields, ' STEPS ')?.key).toBe('3.steps');
  });
});
