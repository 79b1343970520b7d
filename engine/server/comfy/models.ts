/** What model files there are: /models, /embeddings, /experiment/models, /view_metadata. */
import { extname } from 'node:path';
import { Router } from 'express';
import { NoodleError } from '../../errors.ts';
import { type Pictures, createPictures } from '../../media/picture-thread.ts';
import type { Folders } from '../../store/folders.ts';
import {
  createModelDetails,
  modelPreview,
  safetensorsMetadata,
} from '../../store/model-details.ts';
import { queryText, sendEmpty, sendJson } from '../answer.ts';

/** Old names work in nodes and configurations but not in these routes, as in ComfyUI. */
const LEGACY = new Set(['unet', 'clip']);

/** Folders that hold no models. */
const NOT_MODELS = new Set(['configs', 'custom_nodes']);

/** Routes of spec §1.5 about models. */
export function modelRoutes({
  folders,
  pictures = createPictures(),
}: {
  folders: Folders;
  pictures?: Pictures;
}): Router {
  const router = Router();
  const details = createModelDetails(folders);
  const known = (name: string): boolean => folders.modelFolders().includes(name);

  router.get('/embeddings', (_req, res) => {
    const names = folders.modelFiles('embeddings');
    sendJson(
      res,
      names.map((name) => name.slice(0, name.length - extname(name).length)),
    );
  });

  router.get('/models', (_req, res) => sendJson(res, folders.modelFolders()));

  router.get('/models/:folder', (req, res) => {
    const { folder } = req.params;
    if (LEGACY.has(folder) || !known(folder)) return sendEmpty(res, 404);
    sendJson(res, folders.modelFiles(folder));
  });

  router.get('/experiment/models', (_req, res) => {
    const names = folders.modelFolders().filter((name) => !NOT_MODELS.has(name));
    sendJson(
      res,
      names.map((name) => ({ name, folders: folders.modelPaths(name) })),
    );
  });

  router.get('/experiment/models/:folder', (req, res) => {
    const files = known(req.params.folder) ? details(req.params.folder) : undefined;
    if (files === undefined) sendEmpty(res, 404);
    else sendJson(res, files);
  });

  router.get('/experiment/models/preview/:folder/:index/*name', async (req, res) => {
    const { folder, index } = req.params;
    const name = req.params.name.join('/');
    const paths = known(folder) ? folders.modelPaths(folder) : undefined;
    if (paths === undefined) return sendEmpty(res, 404);
    if (name === '' || !/^\d{1,6}$/.test(index) || Number(index) >= paths.length) {
      return sendEmpty(res, 400);
    }
    const picture = modelPreview(paths[Number(index)], name);
    // A page that only shows it where there is one has no error then.
    if (picture === undefined) return sendEmpty(res, 'optional' in req.query ? 204 : 404);
    try {
      const { bytes, mime } = await pictures.view(picture, { preview: 'webp', channel: 'rgba' });
      res
        .set({ 'Content-Type': mime, 'X-Content-Type-Options': 'nosniff' })
        .send(Buffer.from(bytes));
    } catch (error) {
      if (!(error instanceof NoodleError)) throw error;
      sendEmpty(res, 404);
    }
  });

  router.get('/view_metadata/:folder', (req, res) => {
    const name = queryText(req, 'filename');
    if (name === undefined || extname(name) !== '.safetensors') return sendEmpty(res, 404);
    let file: string;
    try {
      file = folders.modelFile(req.params.folder, name);
    } catch {
      return sendEmpty(res, 404);
    }
    const metadata = safetensorsMetadata(file, 1024 * 1024);
    if (metadata === undefined) sendEmpty(res, 404);
    else sendJson(res, metadata);
  });

  return router;
}
