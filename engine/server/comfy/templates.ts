/**
 * /templates: the example workflows in the form in which ComfyUI's page finds the templates of its
 * own package. A page from outside that brings its templates keeps them.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Router } from 'express';
import { isFile, resolveInside } from '../../store/paths.ts';
import { sendJson } from '../answer.ts';
import { drawWorkflow } from './workflow-picture.ts';

/** On a user's first visit the page shows the essential group of this title and nothing else. */
const FIRST_GROUP = {
  moduleName: 'default',
  title: 'Getting Started',
  type: 'image',
  isEssential: true,
};

/** `root` is the program's workflows folder, `webRoot` that of a page from outside. */
export function templateRoutes({ root, webRoot }: { root: string; webRoot?: string }): Router {
  const router = Router();
  if (webRoot !== undefined && existsSync(join(webRoot, 'templates'))) return router;

  // The index exists once per language; our names are the same in all of them.
  router.get(/^\/templates\/index(\.[\w-]+)?\.json$/, (_req, res) => {
    const templates = readdirSync(root)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => template(basename(name, '.json')));
    sendJson(res, [{ ...FIRST_GROUP, templates }]);
  });
  // Logos of providers we have none of, and search options of which the page has good ones.
  router.get('/templates/index_logo.json', (_req, res) => sendJson(res, {}));
  router.get('/templates/fuse_options.json', (_req, res) => sendJson(res, null));

  router.get('/templates/:file', (req, res, next) => {
    const [, name, kind] = /^(.+?)(\.json|-\d\.svg)$/.exec(req.params.file) ?? [];
    if (name === undefined) return next();
    const path = resolveInside(root, `${name}.json`);
    if (!isFile(path)) return next();
    res.set('Cache-Control', 'no-cache');
    if (kind === '.json') {
      return res.sendFile(basename(path), { root: dirname(path), cacheControl: false });
    }
    const picture = drawWorkflow(JSON.parse(readFileSync(path, 'utf8')));
    // Our own file; still nothing in it may run when somebody opens it by itself.
    res.set({ 'Content-Type': 'image/svg+xml', 'Content-Security-Policy': "default-src 'none'" });
    res.send(Buffer.from(picture));
  });

  return router;
}

function template(name: string): object {
  const title = name.replaceAll('-', ' ').replace(/^./, (letter) => letter.toUpperCase());
  const description = 'An example that comes with Noodle.';
  return { name, title, description, mediaType: 'image', mediaSubtype: 'svg' };
}
