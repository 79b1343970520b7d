/** /v1/outputs: the pictures, films and sounds that were made. */
import { basename, posix } from 'node:path';
import { NoodleError } from '../../../errors.ts';
import { contentType } from '../../../store/content-type.ts';
import { isFile } from '../../../store/paths.ts';
import type { FileDetails } from '../../outputs/file-details.ts';
import { changeFavourites, readFavourites } from '../../outputs/favourites.ts';
import type { MediaFile } from '../../outputs/media-files.ts';
import { readCursor } from '../../outputs/media-page.ts';
import { outputsOf } from '../../outputs/outputs.ts';
import { moveToTrash, restoreFromTrash } from '../../outputs/trash.ts';
import type { Api } from '../api.ts';
import {
  Favourites,
  FavouritesChange,
  type OutputFile,
  OutputPage,
  OutputQuery,
  RestoreRequest,
  Restored,
  ThumbnailQuery,
  TrashRequest,
  Trashed,
} from '../output-schemas.ts';
import { ProblemError } from '../problem.ts';
import { ok, route } from '../route.ts';

const tag = 'Outputs';

export const outputRoutes = [
  route({
    method: 'get',
    path: '/v1/outputs',
    id: 'listOutputs',
    tag,
    summary: 'List pictures, films and sounds, the newest first',
    query: OutputQuery,
    responses: {
      200: { description: 'A page of files.', schema: OutputPage },
      400: { description: 'The cursor is none.' },
    },
    run: async ({ query, owner }, api) => {
      const { directory = 'output', sort = 'newest', limit = 100, cursor, kind, q } = query;
      if (cursor !== undefined && readCursor(cursor) === undefined) {
        const detail = 'cursor: this is no next_cursor of a page';
        throw new ProblemError({ status: 400, code: 'bad_cursor', detail });
      }
      const { list, page } = outputsOf(api.folders);
      const favourites = directory === 'output' ? favouritesOf(api, owner) : new Set<string>();
      const { files, details, total, next } = await page(await list(directory), {
        sort,
        limit,
        cursor,
        kind,
        query: q,
        only: query.favourites === true ? favourites : undefined,
      });
      const outputs = files.map((file, i) =>
        outputJson(file, details[i], directory, favourites.has(file.path)),
      );
      return ok({ outputs, total, next_cursor: next });
    },
  }),
  route({
    method: 'get',
    path: '/v1/outputs/thumbnail',
    id: 'getThumbnail',
    tag,
    summary: 'A small picture of a picture',
    query: ThumbnailQuery,
    responses: {
      200: { description: 'WebP.', mediaType: 'image/webp' },
      404: { description: 'There is no such file.' },
    },
    run: async ({ query, signal }, { folders }) => {
      const { path, directory = 'output', size = 320, v } = query;
      const absolute = folders.resolve(directory, path);
      if (!isFile(absolute)) throw new NoodleError('FILE_NOT_FOUND', { kind: 'file', name: path });
      const { pictures } = outputsOf(folders);
      const { bytes, mime } = await pictures.view(absolute, { preview: 'webp;80', size }, signal);
      const keep = v === undefined ? 'no-cache' : 'private, max-age=31536000, immutable';
      return {
        stream: (_req, res) => {
          res.writeHead(200, { 'Content-Type': mime, 'Cache-Control': keep });
          res.end(bytes);
        },
      };
    },
  }),
  route({
    method: 'post',
    path: '/v1/outputs/favourites',
    id: 'changeFavourites',
    tag,
    summary: 'Mark outputs as favourites, or no more',
    description: 'Each user has favourites of their own.',
    body: FavouritesChange,
    bodyExample: { add: ['portraits/anna_00001_.png'] },
    responses: { 200: { description: 'All favourites.', schema: Favourites } },
    run: ({ body: { add = [], remove = [] }, owner }, { users }) => {
      const favourites = changeFavourites(users.root(users.resolve(owner)), { add, remove });
      return ok({ favourites: [...favourites] });
    },
  }),
  route({
    method: 'post',
    path: '/v1/outputs/delete',
    id: 'deleteOutputs',
    tag,
    summary: 'Delete outputs',
    description: 'Until the server ends they can be brought back; then they are gone.',
    body: TrashRequest,
    bodyExample: { paths: ['portraits/anna_00001_.png'] },
    responses: { 200: { description: 'They are deleted.', schema: Trashed } },
    run: async ({ body }, { folders }) => {
      const { id, moved, missing } = await moveToTrash(folders, body.paths);
      return ok({ trash_id: id, moved, missing });
    },
  }),
  route({
    method: 'post',
    path: '/v1/outputs/restore',
    id: 'restoreOutputs',
    tag,
    summary: 'Bring deleted outputs back',
    body: RestoreRequest,
    bodyExample: { trash_id: '0f8fad5b-d9cb-469f-a165-70867728950e' },
    responses: {
      200: { description: 'What is back.', schema: Restored },
      404: { description: 'There is no such deletion any more.' },
    },
    run: async ({ body }, { folders }) => ok(await restoreFromTrash(folders, body.trash_id)),
  }),
];

function favouritesOf({ users }: Api, owner: string | undefined): ReadonlySet<string> {
  // Where there are several users and none is named, nobody has favourites.
  return users.multiUser && owner === undefined
    ? new Set()
    : readFavourites(users.root(users.resolve(owner)));
}

function outputJson(
  { path, kind, bytes, modified }: MediaFile,
  { width, height, text, seed }: FileDetails,
  directory: OutputFile['directory'],
  favourite: boolean,
): OutputFile {
  const filename = basename(path);
  const folder = posix.dirname(path);
  const subfolder = folder === '.' ? '' : folder;
  const version = `${Math.round(modified)}-${bytes}`;
  const view = new URLSearchParams({ filename, subfolder, type: directory });
  const small = new URLSearchParams({ path, directory, v: version });
  return {
    path,
    filename,
    subfolder,
    directory,
    kind,
    media_type: contentType(path),
    bytes,
    modified_at: new Date(modified).toISOString(),
    width,
    height,
    prompt: text === '' ? null : text,
    seed,
    favourite,
    url: `/view?${view.toString()}`,
    thumbnail_url: kind === 'image' ? `/v1/outputs/thumbnail?${small.toString()}` : null,
  };
}
