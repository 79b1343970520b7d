/** The order of batches: every epoch has all of them, and what was interrupted goes on as if it had not been. */
import { expect, describe, it } from 'vitest';
import { pythonRandom } from '../../../../engine/sampling/noise/python-random.ts';
import type { PythonRandom } from '../../../../engine/sampling/noise/python-random.ts';
import { sliceBuckets } from '../../../../engine/training/data/batches.ts';
import type { Dataset } from '../../../../engine/training/data/dataset.ts';
import { type Batch, createBatches } from '../../../../engine/training/data/order.ts';
import { place } from '../../../../engine/training/data/placement.ts';
import { type WithWords, datasetDefaults } from '../../../../engine/training/data/settings.ts';

const SIZES = [
  { width: 64, height: 64 },
  { width: 96, height: 48 },
  { width: 70, height: 64 },
  { width: 100, height: 100 },
  { width: 97, height: 48 },
];

function makeSet(name: string, settings: Partial<WithWords>, random: PythonRandom): Dataset {
  const all = {
    ...datasetDefaults,
    folderPath: '/data',
    resolution: 64,
    batchSize: 2,
    ...settings,
  };
  const items = SIZES.map((size, i) => ({
    name: `${name}${i}.png`,
    path: `/data/${name}${i}.png`,
    text: `${name} ${i}, here, there`,
    size,
    placement: place(size, all, 16, random),
    flipX: false,
    flipY: false,
  }));
  const buckets = items.map(({ placement: { crop } }) => `${crop.width}x${crop.height}`);
  const batches = sliceBuckets(buckets, all.batchSize, random);
  return { settings: all, root: '/data', links: 'refuse', unit: 16, items, batches };
}

/** Two sets with everything random in them. */
function start(seed = 5) {
  const random = pythonRandom(seed);
  const sets = [
    makeSet('a', { randomCrop: true, shuffleTokens: true, captionDropoutRate: 0.2 }, random),
    makeSet(
      'b',
      { buckets: false, randomScale: true, randomTriggers: ['x', 'y', 'z'], randomTriggersMax: 2 },
      random,
    ),
  ];
  return { random, sets, order: createBatches(sets, random) };
}

const told = ({ samples }: Batch): unknown[] =>
  samples.map(({ item, placement, caption }) => [item.name, placement, caption]);

describe('createBatches', () => {
  it('gives every batch once an epoch, in another order each', () => {
    const { order, sets } = start();
    const epochs = [0, 1, 2].map((epoch) => {
      const batches = Array.from({ length: order.length }, () => {
        expect(order.position().epoch).toBe(epoch);
        return order.next();
      });
      return batches.map(({ samples }) => samples.map(({ item }) => item.name).join(' '));
    });
    const all = sets.flatMap(({ batches, items }) =>
      batches.map((batch) => batch.map((i) => items[i].name).join(' ')),
    );
    for (const epoch of epochs) expect([...epoch].sort()).toEqual([...all].sort());
    expect(epochs[1]).not.toEqual(epochs[0]);
  });

  it('goes on from anywhere as if it had not been interrupted', () => {
    const whole = start();
    const steps = 3 * whole.order.length + 1;
    const expected = Array.from({ length: steps }, () => told(whole.order.next()));
    for (let stop = 0; stop < steps; stop++) {
      const first = start();
      for (let i = 0; i < stop; i++) first.order.next();
      const saved = JSON.stringify([first.order.position(), first.random.save()]);

      const second = start();
      const [position, generator] = JSON.parse(saved) as [
        ReturnType<typeof second.order.position>,
        number[],
      ];
      second.random.restore(generator);
      expect(second.order.restore(position)).toBe(true);
      const rest = Array.from({ length: steps - stop }, () => told(second.order.next()));
      expect(rest).toEqual(expected.slice(stop));
    }
  });

  it('begins an epoch anew when the sets have changed', () => {
    const { order, random } = start();
    for (let i = 0; i <= order.length; i++) order.next();
    const position = order.position();
    expect(position).toMatchObject({ epoch: 1, next: 1 });
    const fewer = createBatches([makeSet('a', {}, pythonRandom(1))], random);
    expect(fewer.restore(position)).toBe(false);
    expect(fewer.position()).toMatchObject({ epoch: 1, next: 0, order: [] });
    // Another seed at the start cuts other crops.
    expect(start(6).order.restore(position)).toBe(false);
    for (const broken of [{ next: 99 }, { next: -1 }, { order: [0, 0] }, { order: [] }]) {
      expect(start().order.restore({ ...position, ...broken })).toBe(false);
    }
  });

  it('keeps the crop of what is cached', () => {
    const random = pythonRandom(3);
    const set = makeSet('a', { buckets: false, randomScale: true, cacheLatents: true }, random);
    const order = createBatches([set], random);
    for (let i = 0; i < 2 * order.length; i++) {
      for (const { item, placement } of order.next().samples)
        expect(placement).toBe(item.placement);
    }
  });
});
