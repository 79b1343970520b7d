import { signal } from '@preact/signals';
import type { Server } from '../api/server.ts';
import type { Documents } from '../documents/documents.ts';
import { nameOf, pathOf } from '../documents/saving.ts';
import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { messageOf } from '../text.ts';

interface LibraryParts {
  readonly documents: Documents;
  readonly server: Server;
  readonly state: State;
}

export type Library = ReturnType<typeof createLibrary>;

/** The user's saved workflows: what is there, and what is done to it. Names have no '.json'. */
export function createLibrary({ documents, server, state }: LibraryParts) {
  const bookmarks = signal<ReadonlySet<string>>(new Set());
  const names = (): string[] =>
    state.saved.value.filter(({ isFolder }) => !isFolder).map(({ path }) => nameOf(path));
  /** A workflow itself, or all that lie in a folder. */
  const below = (name: string): string[] =>
    names().filter((other) => other === name || other.startsWith(`${name}/`));
  const tabsOf = (name: string) =>
    state.documents.value.filter(({ origin }) => origin.value === name);

  const read = async (name: string): Promise<string> => {
    const text = await server.savedWorkflow(pathOf(name));
    if (text === null) throw new Error(t('{name} is not there any more', { name }));
    return text;
  };
  const refresh = async (): Promise<void> => {
    state.saved.value = await server.savedWorkflows().catch(() => []);
  };
  const readBookmarks = async (): Promise<void> => {
    bookmarks.value = new Set((await server.bookmarks()).map(nameOf));
  };
  const mark = async (marked: ReadonlySet<string>): Promise<void> => {
    bookmarks.value = marked;
    await server.saveBookmarks([...marked].map(pathOf));
  };
  /** Does something and shows the list as it is then; what went wrong is said. */
  const change = async (work: () => Promise<void>): Promise<void> => {
    try {
      await readBookmarks();
      await work();
    } catch (error) {
      toast(state, messageOf(error), 'error');
    }
    await refresh();
  };

  const moveOne = async (from: string, to: string): Promise<void> => {
    const outcome = await server.moveWorkflow(pathOf(from), pathOf(to));
    if (outcome === 'exists') {
      throw new Error(t('There is already a workflow called {name}', { name: to }));
    }
    if (outcome === 'gone') throw new Error(t('{name} is not there any more', { name: from }));
    for (const tab of tabsOf(from)) documents.rename(tab, to, to);
    if (bookmarks.value.has(from)) {
      await mark(new Set([...bookmarks.value].map((name) => (name === from ? to : name))));
    }
  };

  /** Puts removed workflows back where nothing has taken their place meanwhile. */
  const putBack = (removed: ReadonlyMap<string, string>) =>
    change(async () => {
      for (const [name, text] of removed) {
        if ((await server.saveWorkflow(pathOf(name), text, false)) === 'exists') {
          toast(state, t('There is already a workflow called {name}', { name }), 'error');
        }
      }
    });

  return {
    bookmarks,
    refresh,
    readBookmarks,
    /** Gives a workflow, or a folder with all in it, another name; nothing is replaced. */
    rename: (from: string, to: string): Promise<void> =>
      change(async () => {
        for (const name of below(from)) await moveOne(name, to + name.slice(from.length));
        if (below(from).length === 0) await moveOne(from, to);
      }),
    /** Removes a workflow, or a folder with all in it; a message offers to undo that. */
    remove: (name: string): Promise<void> =>
      change(async () => {
        const removed = new Map<string, string>();
        for (const each of below(name)) {
          const text = await server.savedWorkflow(pathOf(each));
          if (text === null) continue;
          removed.set(each, text);
          await server.deleteWorkflow(pathOf(each));
        }
        const tabs = [...removed.keys()].flatMap(tabsOf);
        tabs.forEach((tab) => documents.orphan(tab));
        toast(state, t('Removed {name}', { name }), 'info', {
          label: t('Undo'),
          run: () => {
            void putBack(removed).then(() => {
              for (const tab of tabs) documents.rename(tab, tab.name.value, tab.name.value);
            });
          },
        });
      }),
    /** Makes a copy of a saved workflow beside it. */
    duplicate: (name: string): Promise<void> =>
      change(async () => {
        const text = await read(name);
        for (let n = 1; ; n++) {
          const copy = n === 1 ? `${name} (copy)` : `${name} (copy ${n})`;
          if ((await server.saveWorkflow(pathOf(copy), text, false)) === 'saved') return;
        }
      }),
    /** Marks a workflow, or takes the mark away. */
    toggleBookmark: (name: string): Promise<void> =>
      change(async () => {
        const marked = new Set(bookmarks.value);
        if (!marked.delete(name)) marked.add(name);
        await mark(marked);
      }),
    /** The text of a saved workflow; throws when it is not there any more. */
    read,
  };
}
