import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sweepLeftovers } from '../../../engine/store/leftovers.ts';
import { temporaryBeside } from '../../../engine/store/write.ts';
import { base } from './base-folder.ts';

describe('interrupted writes', () => {
  it('are swept where their writer is gone', async () => {
    const folder = join(base, 'sweep');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    const alive = temporaryBeside(join(folder, 'a.png'));
    const dead = alive.replace(`-${process.pid}-`, '-999999999-');
    const other = alive.replace(/noodle-[0-9a-f]{8}/, 'noodle-00000000');
    const old = other.replace(/^(.*)\/\.noodle-0/, '$1/sub/.noodle-1');
    const similar = join(folder, '.noodle-notes.part');
    for (const path of [alive, dead, other, old, similar]) writeFileSync(path, 'half');
    utimesSync(old, 0, 0);
    expect(await sweepLeftovers([folder, join(base, 'none')])).toBe(2);
    expect([alive, dead, other, old, similar].map((path) => existsSync(path))).toEqual([
      ...[true, false, true, false, true],
    ]);
  });
});
