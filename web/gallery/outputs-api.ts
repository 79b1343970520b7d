import type { Server } from '../api/server.ts';
import { isRecord } from '../graph/input-spec.ts';
import type { Picture } from '../pictures/picture.ts';
import { refusal } from '../api/refused.ts';

/** A file as GET /v1/outputs lists it. */
export interface OutputFile {
  readonly path: string;
  readonly filename: string;
  readonly subfolder: string;
  readonly directory: Directory;
  readonly kind: 'image' | 'video' | 'audio';
  readonly media_type: string;
  readonly bytes: number;
  readonly modified_at: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly prompt: string | null;
  readonly seed: string | null;
  readonly favourite: boolean;
  readonly url: string;
  readonly thumbnail_url: string | null;
}

export type Directory = 'output' | 'temp' | 'input';

export interface OutputQuery {
  readonly directory: Directory;
  readonly kind: OutputFile['kind'] | null;
  readonly q: string;
  readonly sort: 'newest' | 'oldest' | 'name' | 'largest';
  readonly favourites: boolean;
}

export interface OutputPage {
  readonly outputs: readonly OutputFile[];
  readonly total: number;
  readonly next_cursor: string | null;
}

/** The server's side of the gallery; every method throws when the server refuses. */
export function createOutputsApi(server: Server) {
  const send = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await server.post(path, body);
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok && isRecord(answer)) return answer;
    const detail = isRecord(answer) ? answer.detail : undefined;
    throw typeof detail === 'string' ? new Error(detail) : refusal(response.status);
  };
  return {
    list: async (query: OutputQuery, limit: number, cursor: string | null): Promise<OutputPage> => {
      const { directory, kind, q, sort, favourites } = query;
      const wanted = new URLSearchParams({ directory, sort, limit: String(limit) });
      if (kind !== null) wanted.set('kind', kind);
      if (q.trim() !== '') wanted.set('q', q.trim());
      if (favourites) wanted.set('favourites', 'true');
      if (cursor !== null) wanted.set('cursor', cursor);
      return (await server.getJson(`v1/outputs?${wanted.toString()}`)) as OutputPage;
    },
    like: (paths: readonly string[], liked: boolean) =>
      send('v1/outputs/favourites', { [liked ? 'add' : 'remove']: paths }),
    remove: async (paths: readonly string[]): Promise<{ id: string; moved: readonly string[] }> => {
      const { trash_id: id, moved } = await send('v1/outputs/delete', { paths });
      return { id: String(id), moved: Array.isArray(moved) ? moved.map(String) : [] };
    },
    restore: async (id: string): Promise<{ kept: readonly string[] }> => {
      const { kept } = await send('v1/outputs/restore', { trash_id: id });
      return { kept: Array.isArray(kept) ? kept.map(String) : [] };
    },
  };
}

/** Addresses of the server as the page must write them: it may lie below a path. */
export const addressOf = (server: Server, url: string): string =>
  server.url(url.replace(/^\//, ''));

/** A listed file as the viewer and the actions take it. */
export const pictureOf = (server: Server, { url, filename, kind }: OutputFile): Picture => ({
  url: addressOf(server, url),
  label: filename,
  kind,
});
