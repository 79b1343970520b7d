/** /ui/workflows: the example workflows that come with the program. */
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Router } from 'express';
import { isFile, resolveInside } from '../../store/paths.ts';
import { sendEmpty, sendJson } from '../answer.ts';

/** `root` is the program's workflows folder. */
export function workflowRoutes({ root }: { root: string }): Router {
  const router = Router();

  router.get('/ui/workflows', (_req, res) => {
    const names = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
      .map(({ name }) => name)
      .sort();
    sendJson(res, names);
  });

  router.get('/ui/workflows/:name', (req, res) => {
    const path = resolveInside(root, req.params.name);
    if (!path.endsWith('.json') || !isFile(path)) return sendEmpty(res, 404);
    const headers = { 'Cache-Control': 'no-cache' };
    res.sendFile(basename(path), { root: dirname(path), cacheControl: false, headers });
  });

  return router;
}
