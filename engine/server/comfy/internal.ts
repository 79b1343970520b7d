/** /internal/*: the log and folders, for the page. These have no twin under /api. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from 'express';
import type { DirectoryType, Folders } from '../../store/folders.ts';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import { bodyFields, sendEmpty, sendJson } from '../answer.ts';
import type { Hub } from './hub.ts';
import type { ServerLog } from '../log.ts';

const TYPES: readonly string[] = ['output', 'input', 'temp'];

/** Routes of spec §1.7. */
export function internalRoutes({
  folders,
  log,
  hub,
}: {
  folders: Folders;
  log: ServerLog;
  hub: Hub;
}): Router {
  const router = Router();
  const subscribers = new Set<string>();
  log.follow((entry) => {
    if (subscribers.size === 0) return;
    const data = stringifyJson({ entries: [entry], size: log.size() });
    for (const sid of subscribers) {
      // A client that left is forgotten; one that comes back subscribes anew.
      if (hub.has(sid)) hub.send({ sid }, 'logs', data);
      else subscribers.delete(sid);
    }
  });

  router.get('/internal/logs', (_req, res) => {
    const lines = log.entries().map(({ t, m }) => `${t} - ${m}`);
    sendJson(res, lines.join(''));
  });

  router.get('/internal/logs/raw', (_req, res) => {
    sendJson(res, { entries: log.entries(), size: log.size() });
  });

  router.patch('/internal/logs/subscribe', (req, res) => {
    const { clientId, enabled } = bodyFields(req);
    if (typeof clientId !== 'string') return sendEmpty(res, 400);
    if (enabled === true) subscribers.add(clientId);
    else subscribers.delete(clientId);
    sendEmpty(res);
  });

  router.get('/internal/folder_paths', (_req, res) => {
    const names = folders.modelFolders();
    sendJson(res, Object.fromEntries(names.map((name) => [name, folders.modelPaths(name)])));
  });

  router.get('/internal/files/:type', (req, res) => {
    const { type } = req.params;
    if (!TYPES.includes(type)) return sendJson(res, { error: 'Invalid directory type' }, 400);
    sendJson(res, newestFirst(folders, type as DirectoryType));
  });

  return router;
}

/** Names of the files directly in a folder. */
function newestFirst(folders: Folders, type: DirectoryType): string[] {
  return folders
    .filesOf(type)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => {
      const stat = statSync(join(folders.directory(type), name), { throwIfNoEntry: false });
      return stat === undefined ? [] : [{ name, time: stat.mtimeMs }];
    })
    .sort((a, b) => b.time - a.time)
    .map(({ name }) => name);
}
