/** Whatever is done to the graph by hand, leaving the page and coming back shows the same graph. */
import { describe, test } from 'vitest';
import { noBrowser } from './support/browser.ts';
import { useBuiltPage } from './support/built-page.ts';
import { monkeyLosesNothing } from './support/monkey.ts';

describe.skipIf(noBrowser !== null)('a monkey at the graph', () => {
  const stand = useBuiltPage();

  // As many gestures as fit into the time; a thousand are made in tests/page.
  test('loses nothing over a reload', { timeout: 70_000 }, async () => {
    await monkeyLosesNothing(stand, { seed: 1, gestures: 200, time: 5000 });
  });
});
