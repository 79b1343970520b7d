import { describe, expect, test } from 'vitest';
import { createDocument } from '../../web/documents/document.ts';
import { createDrafts } from '../../web/documents/drafts.ts';
import type { Vault, VaultRecord } from '../../web/documents/vault.ts';
import { trackEdits } from '../../web/documents/edits.ts';
import { createUndoStack, type Snapshot, type UndoLimits } from '../../web/graph/undo.ts';

/** A browser's store that has room for so many characters. */
function storeOf(room = Infinity): Storage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (i) => [...items.keys()][i] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      const used = [...items].reduce((sum, [k, v]) => sum + (k === key ? 0 : v.length), 0);
      if (used + value.length > room) throw new Error('QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}

const draft = (id: string, workflow = '{"nodes":[]}') => ({
  id,
  window: 'w',
  name: id,
  origin: null,
  modified: true,
  base: null,
  view: { scale: 0.5, offset: [3, -4] as const, inside: null },
  workflow,
});

describe('drafts', () => {
  test('come back whole, the newest first, until they are removed', () => {
    const store = storeOf();
    const drafts = createDrafts(store);
    for (const id of ['a', 'b', 'c']) expect(drafts.write(draft(id))).toBe(true);
    drafts.write(draft('a'));
    expect(drafts.all().map(({ id }) => id)).toEqual(['a', 'c', 'b']);
    expect(createDrafts(store).all()[1]).toMatchObject(draft('c'));
    drafts.remove('a');
    expect(drafts.all().map(({ id }) => id)).toEqual(['c', 'b']);
  });

  test('a full browser says so and loses none of those it has', () => {
    const drafts = createDrafts(storeOf(400));
    expect(drafts.write(draft('a'))).toBe(true);
    expect(drafts.write(draft('b', 'x'.repeat(500)))).toBe(false);
    expect(drafts.write(draft('a', 'x'.repeat(500)))).toBe(false);
    expect(drafts.all()).toMatchObject([draft('a')]);
  });

  test('what a second place has makes room in a full browser, and is found there', async () => {
    const store = storeOf(900);
    const places = new Map<string, VaultRecord>();
    const vault: Vault = {
      put: (given, kept) => {
        places.set(given.id, given);
        kept?.();
      },
      remove: (id) => void places.delete(id),
      all: () => Promise.resolve([...places.values(), { broken: true }]),
    };
    const drafts = createDrafts(store, vault);
    for (const id of ['a', 'b', 'c', 'd']) {
      expect(drafts.write(draft(id, 'x'.repeat(200)))).toBe(true);
    }
    expect(store.length).toBeLessThan(4);
    const again = createDrafts(store, vault);
    await again.load();
    expect(again.all().map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a']);
    // The newer one counts, wherever it is.
    places.set('d', Object.assign(draft('d'), { name: 'newer', time: Date.now() + 1000 }));
    await again.load();
    expect(again.all()[0]).toMatchObject({ id: 'd', name: 'newer' });
    drafts.tabs.write('w', { order: ['b', 'a'], active: 'a' });
    store.removeItem('noodle.tabs.w');
    await again.load();
    expect(again.tabs.read('w')).toMatchObject({ order: ['b', 'a'], active: 'a' });
    again.remove('d');
    await again.load();
    expect(again.all().map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });

  test('what earlier versions kept for all windows becomes a draft', () => {
    const store = storeOf();
    const entry = { name: 'old work', modified: true, workflow: '{"nodes":[1]}' };
    store.setItem('noodle.autosave', JSON.stringify(entry));
    expect(createDrafts(store).all()).toMatchObject([{ ...entry, origin: null, view: null }]);
    expect(store.getItem('noodle.autosave')).toBeNull();
    expect(createDrafts(store).all()).toHaveLength(1);
  });

  test('entries that are none are passed over', () => {
    const store = storeOf();
    store.setItem('noodle.draft.x', '{"workflow":');
    store.setItem('noodle.draft.y', '{"workflow":7}');
    store.setItem('noodle.draft.z', '{"workflow":"{}","view":{"scale":-1,"offset":[0,0]}}');
    store.setItem('other', '{"workflow":"{}"}');
    expect(createDrafts(store).all()).toMatchObject([{ id: 'z', name: 'Untitled', view: null }]);
  });
});

/** A state that is a text; capitals count as none of its edits. */
const stateOf = (text: string): Snapshot => ({
  same: (other) => other.text().toLowerCase() === text.toLowerCase(),
  text: () => text,
  sizeBeyond: (other) => (other?.text() === text ? 0 : text.length),
});

describe('undo', () => {
  const editor = (text: string, limits?: UndoLimits) => {
    const now = { text };
    const stack = createUndoStack(
      () => stateOf(now.text),
      (to) => {
        now.text = to.text();
        return to;
      },
      limits,
    );
    stack.rebase();
    return { now, stack };
  };

  test('steps back and forth between states that differ', () => {
    const { now, stack } = editor('a');
    now.text = 'A';
    expect(stack.note()).toBe(false);
    now.text = 'b';
    expect(stack.note()).toBe(true);
    now.text = 'c';
    expect([stack.note(), stack.undo(), stack.undo(), stack.undo()]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(now.text).toBe('a');
    expect([stack.redo(), stack.redo(), stack.redo(), now.text]).toEqual([true, true, false, 'c']);
  });

  test('an edit after undo forgets what was undone; old steps go in the end', () => {
    const { now, stack } = editor('0', { steps: 60, characters: 1e6 });
    for (let i = 1; i <= 100; i++) {
      now.text = String(i);
      stack.note();
    }
    let steps = 0;
    while (stack.undo()) steps++;
    expect([steps, now.text]).toEqual([60, '40']);
    now.text = 'new';
    stack.note();
    expect(stack.redo()).toBe(false);
  });

  test('large steps go sooner, never the last one', () => {
    const { now, stack } = editor('', { steps: 60, characters: 1000 });
    for (let i = 1; i <= 20; i++) {
      now.text = `${i}`.padEnd(300, 'x');
      stack.note();
    }
    let steps = 0;
    while (stack.undo()) steps++;
    expect(steps).toBe(3);
    now.text = 'y'.repeat(5000);
    stack.note();
    now.text = 'z';
    stack.note();
    expect([stack.undo(), now.text.length, stack.undo()]).toEqual([true, 5000, false]);
  });
});

test('an edit reads the graph back once; what is none is not kept', () => {
  let workflow = '{"nodes":[]}';
  let readings = 0;
  const stack = createUndoStack(
    () => {
      readings++;
      return stateOf(workflow);
    },
    (to) => {
      workflow = to.text();
      return to;
    },
  );
  stack.rebase();
  const document = createDocument('x', stack);
  const kept: string[] = [];
  const edits = trackEdits({
    active: () => document,
    redraw: () => undefined,
    keepSoon: () => void kept.push(stack.text()),
  });
  readings = 0;
  edits.settle();
  expect([readings, kept, document.modified.value]).toEqual([1, [], false]);
  workflow = '{"nodes":[1]}';
  edits.settle();
  expect([readings, kept, document.modified.value]).toEqual([2, ['{"nodes":[1]}'], true]);
  edits.undoStep('undo');
  expect(readings).toBe(3); // whether there is something to undo; what it became is known
  expect(kept).toEqual(['{"nodes":[1]}', '{"nodes":[]}']);
});
