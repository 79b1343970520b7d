/** GET /extensions and the files of the packs' web folders. */
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { Router } from 'express';
import type { Folders } from '../../store/folders.ts';
import { listPacks } from '../../store/pack-files.ts';
import { isFile, resolveInside } from '../../store/paths.ts';
import { sendEmpty, sendJson } from '../answer.ts';
import { fileHeaders } from '../content-types.ts';

/** Where a pack keeps what the page loads. */
const WEB_FOLDERS = ['web', 'js'];

/** Scripts of packs; served at the root only, as ComfyUI does. */
export function extensionFileRoutes({ folders }: { folders: Folders }): Router {
  const router = Router();
  router.get('/extensions/:pack/*file', (req, res, next) => {
    const { pack, file } = req.params;
    const root = webRoots(folders).find(({ name }) => name === pack)?.root;
    // What belongs to no pack may be a file of the page, e.g. /extensions/core/….
    if (root === undefined) return next();
    const path = resolveInside(root, file.join('/'));
    if (!isFile(path)) return sendEmpty(res, 404);
    // The page runs these on purpose: fileHeaders would turn scripts into downloads.
    if (!/\.(m?js|css)$/.test(path)) res.set(fileHeaders(file.at(-1) ?? ''));
    // Below its folder, so that only dots in the name itself hide a file.
    const below = resolveInside(root, '');
    res.sendFile(relative(below, path), { root: below, cacheControl: false });
  });
  return router;
}

/**
 * GET /extensions: addresses of all scripts, those of a page from outside (`webRoot`) first. The
 * page that comes with the program has none.
 */
export function extensionRoutes({
  folders,
  webRoot,
}: {
  folders: Folders;
  webRoot?: string;
}): Router {
  const router = Router();
  router.get('/extensions', (_req, res) => {
    const own = webRoot === undefined ? [] : scriptsIn(join(webRoot, 'extensions'));
    const packs = webRoots(folders).flatMap(({ name, root }) =>
      scriptsIn(root).map((file) => `/extensions/${encodeURIComponent(name)}/${encodeURI(file)}`),
    );
    sendJson(res, [...own.map((file) => `/extensions/${encodeURI(file)}`), ...packs]);
  });
  return router;
}

function webRoots(folders: Folders): { name: string; root: string }[] {
  return listPacks(folders.modelPaths('custom_nodes') ?? []).flatMap(({ name, path }) => {
    const folder = WEB_FOLDERS.find((web) => scriptsIn(join(path, web)).length > 0);
    return folder === undefined ? [] : [{ name, root: join(path, folder) }];
  });
}

function scriptsIn(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  } catch {
    return [];
  }
}
