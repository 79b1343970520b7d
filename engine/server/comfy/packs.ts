/** What node packs bring to the page: /i18n, /workflow_templates, /global_subgraphs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from 'express';
import { NoodleError } from '../../errors.ts';
import {
  listPacks,
  listSubgraphs,
  packTemplates,
  packTranslations,
  templateFolders,
} from '../../store/pack-files.ts';
import type { Subgraph } from '../../store/pack-files.ts';
import { isFile, resolveInside } from '../../store/paths.ts';
import { sendEmpty, sendJson } from '../answer.ts';
import { fileHeaders } from '../content-types.ts';

export interface PackRouteOptions {
  /** Folders of the packs that are in use. */
  readonly packFolders: () => readonly string[];
  /** The folder that holds `blueprints/`. */
  readonly program: string;
}

/** Routes of spec §1.5 about packs. What they bring may change at any time, so it is read each time. */
export function packRoutes({ packFolders, program }: PackRouteOptions): Router {
  const router = Router();
  const packs = () => listPacks(packFolders());
  const subgraphs = () => listSubgraphs(packs(), join(program, 'blueprints'));

  router.get('/i18n', (_req, res) => sendJson(res, packTranslations(packs())));

  router.get('/workflow_templates', (_req, res) => sendJson(res, packTemplates(packs())));

  router.get('/workflow_templates/:pack/*file', (req, res) => {
    const pack = packs().find(({ name }) => name === req.params.pack);
    const file = req.params.file.join('/');
    for (const folder of pack === undefined ? [] : templateFolders(pack)) {
      try {
        const path = resolveInside(folder, file);
        if (!isFile(path)) continue;
        res.set(fileHeaders(req.params.file.at(-1) ?? ''));
        return res.sendFile(path, { dotfiles: 'allow', cacheControl: false });
      } catch (error) {
        if (error instanceof NoodleError) return sendEmpty(res, error.status);
        throw error;
      }
    }
    sendEmpty(res, 404);
  });

  router.get('/global_subgraphs', (_req, res) => {
    sendJson(res, Object.fromEntries([...subgraphs()].map(([id, entry]) => [id, shown(entry)])));
  });

  router.get('/global_subgraphs/:id', (req, res) => {
    const entry = subgraphs().get(req.params.id);
    if (entry === undefined) sendJson(res, null);
    else sendJson(res, { ...shown(entry), data: readFileSync(entry.path, 'utf8') });
  });

  return router;
}

/** The entry without the machine's path. */
const shown = ({ source, name, info }: Subgraph): Omit<Subgraph, 'path'> => ({
  source,
  name,
  info,
});
