/** The monkey of tests/web with all the time that it needs; `MONKEY_SEED` makes it another one. */
import { describe, expect, test } from 'vitest';
import { noBrowser } from '../web/support/browser.ts';
import { useBuiltPage } from '../web/support/built-page.ts';
import { monkeyLosesNothing } from '../web/support/monkey.ts';

const seed = Number(process.env.MONKEY_SEED ?? 1);

describe.skipIf(noBrowser !== null)('a monkey at the graph', () => {
  const stand = useBuiltPage();

  test(`loses nothing over a thousand gestures of seed ${seed}`, async () => {
    expect(await monkeyLosesNothing(stand, { seed, gestures: 1000, time: Infinity })).toBe(1000);
  });
});
