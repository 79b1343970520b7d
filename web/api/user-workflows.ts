import { isRecord } from '../graph/input-spec.ts';
import { refusal } from './refused.ts';
import { t } from '../locale/translate.ts';

/** A file or folder below the user's workflows folder. */
export interface SavedEntry {
  /** Slashes between folders; files end in '.json'. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Seconds since 1970; 0 where the server does not tell. */
  readonly modified: number;
}

const folder = 'workflows/';
/** Where ComfyUI's page keeps which workflows are marked. */
const indexFile = '.index.json';

/** The user's workflows on the server, by ComfyUI's userdata routes; `url` makes addresses. */
export function userWorkflows(url: (path: string) => string) {
  const address = (path: string): string => {
    if (isTooLong(path)) throw new Error(t('the name is too long'));
    return `userdata/${encodeURIComponent(folder + path)}`;
  };
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(url(path), init);
    if (!response.ok && response.status !== 404 && response.status !== 409) {
      throw refusal(response.status);
    }
    return response;
  };
  const readText = async (path: string): Promise<string | null> => {
    const response = await send(address(path), { cache: 'no-cache' });
    return response.status === 404 ? null : await response.text();
  };
  const listed = async (): Promise<SavedEntry[]> => {
    const response = await send('v2/userdata', { cache: 'no-cache' });
    const list: unknown = response.ok ? await response.json() : [];
    return (Array.isArray(list) ? list : [])
      .filter(isRecord)
      .map(({ path, type, modified }) => ({
        path: String(path),
        isFolder: type === 'directory',
        modified: typeof modified === 'number' ? modified : 0,
      }))
      .filter(({ path }) => path.startsWith(folder))
      .map((entry) => ({ ...entry, path: entry.path.slice(folder.length) }));
  };
  const write = async (
    path: string,
    text: string,
    overwrite: boolean,
  ): Promise<'saved' | 'exists'> => {
    const to = `${address(path)}?overwrite=${overwrite}`;
    const response = await send(to, { method: 'POST', body: text });
    if (response.status === 404) throw refusal(404);
    return response.status === 409 ? 'exists' : 'saved';
  };

  let hasIndex = false;

  return {
    /** Everything below the user's workflows folder but what is hidden. */
    savedWorkflows: async (): Promise<SavedEntry[]> =>
      (await listed()).filter(
        ({ path, isFolder }) => !path.split('/').some(isHidden) && (isFolder || isJson(path)),
      ),
    /** The text of a saved workflow; null when there is none of that name. */
    savedWorkflow: readText,
    /**
     * Writes a workflow text. Without `overwrite` a file that is there stays, and the answer is
     * 'exists'. Throws when the server cannot write it.
     */
    saveWorkflow: write,
    /** Gives a saved workflow another name; a file that has it stays ('exists'). */
    moveWorkflow: async (from: string, to: string): Promise<'moved' | 'exists' | 'gone'> => {
      const target = encodeURIComponent(folder + to);
      const path = `${address(from)}/move/${target}?overwrite=false`;
      const { status } = await send(path, { method: 'POST' });
      return status === 409 ? 'exists' : status === 404 ? 'gone' : 'moved';
    },
    /** Removes a saved workflow; one that is not there is no error. */
    deleteWorkflow: async (path: string): Promise<void> =>
      void (await send(address(path), { method: 'DELETE' })),
    /** Paths that the user has marked, as ComfyUI's page keeps them. */
    bookmarks: async (): Promise<string[]> => {
      // Not asked for before it is listed: the browser's log would show an answer of 404.
      hasIndex ||= (await listed()).some(({ path }) => path === indexFile);
      const text = hasIndex ? await readText(indexFile).catch(() => null) : null;
      const index: unknown = JSON.parse(text ?? '{}');
      const marked = isRecord(index) && Array.isArray(index.favorites) ? index.favorites : [];
      return marked
        .filter((path): path is string => typeof path === 'string' && path.startsWith(folder))
        .map((path) => path.slice(folder.length));
    },
    saveBookmarks: async (paths: readonly string[]): Promise<void> => {
      const favorites = paths.map((path) => folder + path);
      await write(indexFile, JSON.stringify({ favorites }), true);
    },
  };
}

const isHidden = (name: string): boolean => name.startsWith('.');
const isJson = (path: string): boolean => path.endsWith('.json');

/** What file systems take for one name, in bytes. */
const longestName = 255;
const isTooLong = (path: string): boolean =>
  path.split('/').some((name) => new TextEncoder().encode(name).length > longestName);
