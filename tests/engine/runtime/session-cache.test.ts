import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Session } from '../../../engine/runtime/session.ts';
import { type Opening, createSessionCache } from '../../../engine/runtime/session-cache.ts';

/** Openings of so many bytes that write down what is done to them. */
function recorder() {
  const events: string[] = [];
  const opening =
    (name: string, bytes: number, working = 0) =>
    (): Opening => ({
      bytes,
      working: () => working,
      open: async () => {
        events.push(`open ${name}`);
        const session: Session = {
          run: async () => ({}),
          release: async () => void events.push(`release ${name}`),
        };
        return session;
      },
    });
  return { events, opening };
}

/** A promise to be kept by hand. */
function gate(): { passed: Promise<void>; pass: () => void } {
  let pass = (): void => undefined;
  const passed = new Promise<void>((resolve) => (pass = resolve));
  return { passed, pass };
}

test('a session that runs keeps its room: another opens when the run has ended', async () => {
  const { events, opening } = recorder();
  const cache = createSessionCache(100);
  const { passed, pass } = gate();
  const run = cache.use('a', opening('a', 60), () => passed);
  await nextTurn();
  const other = cache.open('b', opening('b', 60));
  await nextTurn();
  expect(events).toEqual(['open a']);
  pass();
  await Promise.all([run, other]);
  expect(events).toEqual(['open a', 'release a', 'open b']);
});

test('a session that runs keeps what the run takes, too', async () => {
  const { events, opening } = recorder();
  const cache = createSessionCache(100);
  const { passed, pass } = gate();
  const run = cache.use('a', opening('a', 20, 50), () => passed);
  await nextTurn();
  const other = cache.open('b', opening('b', 60));
  await nextTurn();
  expect(events).toEqual(['open a']);
  pass();
  await Promise.all([run, other]);
  expect(events).toEqual(['open a', 'open b']); // beside each other they fit
});

test('idle sessions go first, the least recently used one before others', async () => {
  const { events, opening } = recorder();
  const cache = createSessionCache(100);
  const { passed, pass } = gate();
  const run = cache.use('a', opening('a', 40), () => passed);
  for (const key of ['b', 'c']) await cache.open(key, opening(key, 30));
  await cache.open('d', opening('d', 20));
  pass();
  await run;
  expect(events).toEqual(['open a', 'open b', 'open c', 'release b', 'open d']);
  expect(cache.entries().map(({ key }) => key)).toEqual(['d', 'c', 'a']);
});

test('one that is larger than the budget opens alone, and runs', async () => {
  const { events, opening } = recorder();
  const cache = createSessionCache(100);
  await cache.open('a', opening('a', 40));
  await cache.use('b', opening('b', 500, 50), async () => undefined);
  expect(events).toEqual(['open a', 'release a', 'open b']);
});

test('sessions that open at once count each other', async () => {
  const { events, opening } = recorder();
  const cache = createSessionCache(100);
  await cache.open('a', opening('a', 40));
  await Promise.all([cache.open('b', opening('b', 40)), cache.open('c', opening('c', 40))]);
  expect(events).toEqual(['open a', 'release a', 'open b', 'open c']);
});

test('an opening that fails gives its room back', async () => {
  const { events, opening } = recorder();
  const cache = createSessionCache(100);
  await cache.open('a', opening('a', 40));
  const broken = (): Opening => ({ bytes: 50, open: () => Promise.reject(new Error('broken')) });
  await expect(cache.open('b', broken)).rejects.toThrow('broken');
  await cache.open('c', opening('c', 60));
  expect(events).toEqual(['open a', 'open c']);
});
