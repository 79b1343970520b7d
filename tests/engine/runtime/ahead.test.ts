/** What makes parts of a model quick to open again: reading ahead, and prepared weights that stay. */
import { describe, expect, it } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { keepWeights } from '../../../engine/runtime/kept-weights.ts';
import type { PreparedWeights } from '../../../engine/runtime/prepared-weights.ts';
import { piecesOf } from '../../../engine/runtime/read-ahead.ts';

const mib = 1 << 20;

describe('ranges of a file', () => {
  it('are read in order, neighbours as one, in pieces', () => {
    const ranges = [
      { offset: 20 * mib, bytes: 10 },
      { offset: 64, bytes: 5 * mib },
      { offset: 5 * mib + 100, bytes: 100 },
      { offset: 70, bytes: 7 },
      { offset: 30 * mib, bytes: 0 },
    ];
    expect(piecesOf(ranges)).toEqual([
      { offset: 64, bytes: 4 * mib },
      { offset: 64 + 4 * mib, bytes: mib + 136 },
      { offset: 20 * mib, bytes: 10 },
    ]);
  });
});

describe('weights of a part', () => {
  const telling = (name: string, log: string[], fails?: NoodleError): PreparedWeights => ({
    expect: () => undefined,
    acquire: async () => {
      log.push(`${name} makes`);
      if (fails) throw fails;
      return { find: () => undefined, release: async () => void log.push(`${name} releases`) };
    },
  });

  it('are made once, and stay until the part is forgotten', async () => {
    const log: string[] = [];
    const kept = keepWeights(telling('disk', log), telling('memory', log));
    for (let opening = 0; opening < 2; opening++) await (await kept.acquire([])).release();
    expect(log).toEqual(['disk makes']);
    await kept.forget();
    expect(log).toEqual(['disk makes', 'disk releases']);
    await (await kept.acquire([])).release();
    expect(log).toEqual(['disk makes', 'disk releases', 'disk makes']);
  });

  it('are made anew each time where the disk is full', async () => {
    const log: string[] = [];
    const full = new NoodleError('FILE_WRITE', { name: 'x', reason: 'full' });
    const kept = keepWeights(telling('disk', log, full), telling('memory', log));
    await (await kept.acquire([])).release();
    expect(log).toEqual(['disk makes', 'memory makes', 'memory releases']);
    await kept.forget();
    const broken = new NoodleError('WEIGHTS_CHANGED', { file: 'x' });
    const other = keepWeights(telling('disk', log, broken), telling('memory', log));
    await expect(other.acquire([])).rejects.toBe(broken);
  });
});
