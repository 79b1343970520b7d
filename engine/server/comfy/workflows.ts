/** /ui/workflows: the example workflows that come with the program. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Router } from 'express';
import { isFile, resolveInside } from '../../store/paths.ts';
import { sendEmpty, sendJson } from '../answer.ts';
import { drawWorkflow } from './workflow-picture.ts';

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

  // What it makes, where that was computed; else its nodes and links.
  router.get('/ui/workflows/:name/picture', (req, res) => {
    const path = resolveInside(root, req.params.name);
    if (!path.endsWith('.json') || !isFile(path)) return sendEmpty(res, 404);
    res.set('Cache-Control', 'no-cache');
    const name = `${basename(path, '.json')}.webp`;
    const pictures = resolveInside(root, 'pictures');
    if (isFile(resolveInside(pictures, name))) {
      return res.sendFile(name, { root: pictures, cacheControl: false });
    }
    res.set({ 'Content-Type': 'image/svg+xml', 'Content-Security-Policy': "default-src 'none'" });
    res.send(Buffer.from(drawWorkflow(JSON.parse(readFileSync(path, 'utf8')))));
  });

  router.get('/ui/workflows/:name', (req, res) => {
    const path = resolveInside(root, req.params.name);
    if (!path.endsWith('.json') || !isFile(path)) return sendEmpty(res, 404);
    const headers = { 'Cache-Control': 'no-cache' };
    res.sendFile(basename(path), { root: dirname(path), cacheControl: false, headers });
  });

  return router;
}
