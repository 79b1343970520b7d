/** Golden cases as vitest tests: one test per case, skipped where the area says so. */
import { afterAll, describe, expect, it } from 'vitest';
import type { GoldenArea } from '../golden/area.ts';
import { removeUnpacked } from '../golden/open-case.ts';

/** Runs the cases of `dir` that `pick` keeps (all by default) and expects every comparison to pass. */
export async function goldenSuite(
  area: GoldenArea,
  dir: string,
  pick: (name: string) => boolean = () => true,
): Promise<void> {
  const names = (await area.list(dir)).filter(pick);
  describe(`golden ${area.name}`, () => {
    afterAll(removeUnpacked);
    it('has cases', () => {
      expect(names).not.toEqual([]);
    });
    it.each(names)('%s', async (name) => {
      const result = await area.run(dir, name);
      if ('skip' in result) return;
      expect(result.comparisons).not.toEqual([]);
      expect(result.comparisons.filter(({ pass }) => !pass)).toEqual([]);
    });
  });
}
