import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRegistry } from '../../web/extensions/registry.ts';
import { createState } from '../../web/state.ts';

describe('hooks of page scripts', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test('one that never ends is named, left out from then on, and does not stop the others', async () => {
    const state = createState();
    const registry = createRegistry(state);
    const calls: string[] = [];
    registry.register({
      name: 'hangs',
      setup: () => {
        calls.push('hangs');
        return new Promise<void>(() => undefined);
      },
    });
    registry.register({ name: 'works', setup: () => void calls.push('works') });

    const first = registry.callInTurn('setup', []);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(calls).toEqual(['hangs']);
    await vi.advanceTimersByTimeAsync(1_000);
    await first;
    expect(calls).toEqual(['hangs', 'works']);
    expect(state.toasts.value.map(({ text }) => text)).toEqual([
      'The extension hangs failed in setup: it did not end within 10 s',
    ]);

    await registry.callInTurn('setup', []);
    expect(calls).toEqual(['hangs', 'works', 'works']);
  });

  test('one that throws, or fails later, costs the others nothing', async () => {
    const state = createState();
    const registry = createRegistry(state);
    registry.register({
      name: 'throws',
      init: () => {
        throw new Error('at once');
      },
    });
    registry.register({ name: 'fails', init: () => Promise.reject(new Error('later')) });
    registry.register({ name: 'works', init: () => Promise.resolve('done') });
    expect(await registry.callInTurn('init', [])).toEqual(['done']);
    expect(state.toasts.value.map(({ text }) => text)).toEqual([
      'The extension throws failed in init: at once',
      'The extension fails failed in init: later',
    ]);
  });
});
