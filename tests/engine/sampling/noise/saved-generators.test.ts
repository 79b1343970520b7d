/** Generators that go on where they were saved. */
import { describe, expect, it } from 'vitest';
import { pythonRandom } from '../../../../engine/sampling/noise/python-random.ts';
import { TorchGenerator } from '../../../../engine/sampling/noise/torch-generator.ts';

/** As a file would keep it. */
const kept = <T>(state: T): T => JSON.parse(JSON.stringify(state)) as T;

describe('saved generators', () => {
  // 624 words are twisted together: before, at and behind that place.
  it.each([0, 1, 311, 312, 313, 1000])("Python's after %d draws", (draws) => {
    const first = pythonRandom(7);
    for (let i = 0; i < draws; i++) first.random();
    const second = pythonRandom(0);
    second.restore(kept(first.save()));
    const next = (): unknown[] => [first.random(), first.shuffled([1, 2, 3, 4, 5])];
    const expected = next();
    expect([second.random(), second.shuffled([1, 2, 3, 4, 5])]).toEqual(expected);
  });

  it.each([0, 1, 2, 17])("torch's after %d normals one by one", (draws) => {
    const first = new TorchGenerator(7);
    for (let i = 0; i < draws; i++) first.randn([1]);
    const second = new TorchGenerator(0);
    second.randn([1]);
    second.restore(kept(first.save()));
    const next = (g: TorchGenerator): number[] => [...g.randn([3]).data, ...g.randn([20]).data];
    expect(next(second)).toEqual(next(first));
  });

  it('takes no state of something else', () => {
    const random = pythonRandom(0);
    const state = random.save();
    for (const wrong of [[], state.slice(1), [...state.slice(0, -1), 625], state.map(() => -1)]) {
      expect(() => random.restore(wrong)).toThrow(RangeError);
    }
  });
});
