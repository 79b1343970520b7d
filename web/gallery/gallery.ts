import { batch, computed, effect, signal, untracked } from '@preact/signals';
import type { PageParts } from '../panels/parts.ts';
import { t } from '../locale/translate.ts';
import { ask, toast } from '../state.ts';
import { messageOf } from '../text.ts';
import { createOutputsApi, pictureOf, type OutputFile, type OutputQuery } from './outputs-api.ts';
import { createSelection } from './selection.ts';

export type Gallery = ReturnType<typeof createGallery>;

const pageSize = 120;

/** The gallery's state: the files that were loaded of the list that is asked for, and what is selected. */
function createGallery({ server, state }: Pick<PageParts, 'server' | 'state'>) {
  const api = createOutputsApi(server);
  const query = signal<OutputQuery>({
    directory: 'output',
    kind: null,
    q: '',
    sort: 'newest',
    favourites: false,
  });
  const files = signal<readonly OutputFile[]>([]);
  const total = signal<number | null>(null);
  const failure = signal<string | null>(null);
  const wide = signal(false);
  const selection = createSelection(files);
  let cursor: string | null = null;
  let asking = 0;
  let loadingMore = false;

  /** Asks for a page; what arrives after another question was asked is dropped. */
  const fetchPage = async (from: string | null, take: (page: readonly OutputFile[]) => void) => {
    const mine = ++asking;
    try {
      const page = await api.list(query.value, pageSize, from);
      if (mine !== asking) return;
      batch(() => {
        take(page.outputs);
        total.value = page.total;
        failure.value = null;
        selection.prune();
      });
      return page.next_cursor;
    } catch (error) {
      if (mine === asking) failure.value = messageOf(error);
    }
    return undefined;
  };

  const load = async (): Promise<void> => {
    const next = await fetchPage(null, (page) => {
      files.value = page;
    });
    if (next !== undefined) cursor = next;
  };
  const more = async (): Promise<void> => {
    if (cursor === null || loadingMore) return;
    loadingMore = true;
    const next = await fetchPage(cursor, (page) => {
      files.value = [...files.value, ...page];
    });
    if (next !== undefined) cursor = next;
    loadingMore = false;
  };
  /** Takes in what came and went at the front of the list, and keeps the rest that was loaded. */
  const refresh = async (): Promise<void> => {
    let rest: readonly OutputFile[] = [];
    const next = await fetchPage(null, (page) => {
      const last = page.at(-1)?.path;
      const at = files.value.findIndex(({ path }) => path === last);
      rest = at < 0 ? [] : files.value.slice(at + 1);
      files.value = [...page, ...rest];
    });
    if (next !== undefined && rest.length === 0) cursor = next;
  };

  const change = (paths: readonly string[], changed: Partial<OutputFile>): void => {
    const wanted = new Set(paths);
    files.value = files.value.map((file) =>
      wanted.has(file.path) ? { ...file, ...changed } : file,
    );
  };
  const said = async (action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      toast(state, messageOf(error), 'error');
      await refresh();
    }
  };

  const restore = (id: string): Promise<void> =>
    said(async () => {
      const { kept } = await api.restore(id);
      if (kept.length > 0) {
        toast(state, t('{count} files stay deleted: others have their names now', { count: kept.length }), 'error'); // prettier-ignore
      }
      await load();
    });

  return {
    query,
    files,
    total,
    failure,
    wide,
    selection,
    /** Pictures of all loaded files, as the viewer steps through them. */
    pictures: computed(() => files.value.map((file) => pictureOf(server, file))),
    set(changed: Partial<OutputQuery>): void {
      query.value = { ...query.value, ...changed };
      selection.clear();
      void load();
    },
    load,
    more,
    refresh,
    like: (chosen: readonly OutputFile[], liked: boolean): Promise<void> =>
      said(async () => {
        const paths = chosen.map(({ path }) => path);
        change(paths, { favourite: liked });
        await api.like(paths, liked);
        if (query.value.favourites) await load();
      }),
    /** Deletes files of the output folder; a toast brings them back. Many are asked for first. */
    async remove(chosen: readonly OutputFile[]): Promise<void> {
      const paths = chosen.filter((f) => f.directory === 'output').map(({ path }) => path);
      if (paths.length === 0) return;
      const sure =
        paths.length < 20 ||
        (await ask(state, {
          title: t('Delete {count} files?', { count: paths.length }),
          confirm: t('Delete'),
          danger: true,
        })) !== null;
      if (!sure) return;
      await said(async () => {
        const { id, moved } = await api.remove(paths);
        const gone = new Set(paths);
        batch(() => {
          files.value = files.value.filter(({ path }) => !gone.has(path));
          total.value = Math.max(0, (total.value ?? 0) - moved.length);
          selection.clear();
        });
        const text =
          moved.length === 1
            ? t('Deleted {name}', { name: chosen[0].filename })
            : t('Deleted {count} files', { count: moved.length });
        toast(state, text, 'info', { label: t('Undo'), run: () => void restore(id) });
      });
    },
    /** While the gallery is in sight, what jobs make appears by itself; returns how to end that. */
    follow(): () => void {
      void (untracked(() => files.value.length) === 0 ? load() : refresh());
      let first = true;
      return effect(() => {
        void state.history.value;
        if (!first) void untracked(refresh);
        first = false;
      });
    },
  };
}

let made: Gallery | null = null;

/** The gallery of this page; it stays when its panel is closed. */
export function galleryOf(parts: Pick<PageParts, 'server' | 'state'>): Gallery {
  made ??= createGallery(parts);
  return made;
}
