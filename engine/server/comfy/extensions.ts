/** GET /extensions, the files of the packs' web folders, and /ui/packs: how the packs fared. */
import { type Dirent, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Router } from 'express';
import type { PackHost } from '../../packs/pack-host.ts';
import { isFile, resolveInside } from '../../store/paths.ts';
import { sendEmpty, sendJson } from '../answer.ts';

type Packs = Pick<PackHost, 'reports'>;

/** What is served at the root only, as ComfyUI does. */
export function extensionFileRoutes({ packs }: { packs: Packs }): Router {
  const router = Router();

  router.get('/extensions/:pack/*file', async (req, res, next) => {
    const { pack, file } = req.params;
    const root = (await webFolders(packs)).find(({ id }) => id === pack)?.root;
    // What belongs to no pack may be a file of the page, e.g. /extensions/core/….
    if (root === undefined) return next();
    const path = resolveInside(root, file.join('/'));
    if (!isFile(path)) return sendEmpty(res, 404);
    // The page runs what is in here on purpose: every file has its own type. Sent below its folder,
    // so that only dots in the name itself hide a file.
    const below = resolveInside(root, '');
    res.sendFile(relative(below, path), { root: below, cacheControl: false });
  });

  router.get('/ui/packs', async (_req, res) => {
    const reports = await packs.reports();
    sendJson(
      res,
      reports.map(({ id, name, nodes, webDirectory, problems }) => ({
        id,
        name,
        nodes,
        web: webDirectory !== undefined,
        problems: problems.map(({ error }) => error),
      })),
    );
  });

  return router;
}

/**
 * GET /extensions: addresses of all scripts, those of a page from outside (`webRoot`) first. The
 * page that comes with the program has none.
 */
export function extensionRoutes({ packs, webRoot }: { packs: Packs; webRoot?: string }): Router {
  const router = Router();
  router.get('/extensions', async (_req, res) => {
    const own = webRoot === undefined ? [] : scriptsIn(join(webRoot, 'extensions'));
    const scripts = (await webFolders(packs)).flatMap(({ id, root }) =>
      scriptsIn(root).map((file) => `/extensions/${encodeURIComponent(id)}/${encodeURI(file)}`),
    );
    sendJson(res, [...own.map((file) => `/extensions/${encodeURI(file)}`), ...scripts]);
  });
  return router;
}

async function webFolders(packs: Packs): Promise<{ id: string; root: string }[]> {
  return (await packs.reports()).flatMap(({ id, webDirectory }) =>
    webDirectory === undefined ? [] : [{ id, root: webDirectory }],
  );
}

/** Scripts below a folder that would be served; links are not followed, so nothing goes in circles. */
function scriptsIn(root: string): string[] {
  const below = (folder: string, prefix: string): string[] => {
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      return [];
    }
    return entries.flatMap((entry) => {
      const { name } = entry;
      if (name.startsWith('.') || name === 'node_modules') return [];
      if (entry.isDirectory()) return below(join(folder, name), `${prefix}${name}/`);
      return entry.isFile() && name.endsWith('.js') ? [prefix + name] : [];
    });
  };
  return below(root, '').sort();
}
