/** GET /object_info and /node_replacements: what nodes there are. */
import { Router } from 'express';
import type { ChoiceSource, NodeRegistry } from '../../graph/definition.ts';
import { nodeInfo } from '../../graph/object-info.ts';
import { replacementsJson } from '../../graph/replacements.ts';
import type { Log } from '../../log.ts';
import { sendJson, sendJsonText } from '../answer.ts';
import { type ObjectInfoText, createObjectInfoText } from './object-info-text.ts';

export interface ObjectInfoOptions {
  /** Resolves when nodes and packs are loaded; another map when they are others. */
  readonly nodes: () => Promise<NodeRegistry>;
  readonly source: ChoiceSource;
  readonly log: Log;
}

/** Routes of spec §1.3. */
export function objectInfoRoutes({ nodes, source, log }: ObjectInfoOptions): Router {
  const router = Router();
  let text: (() => ObjectInfoText) | undefined;
  let describes: NodeRegistry | undefined;

  router.get('/object_info', async (req, res) => {
    const registry = await nodes();
    if (text === undefined || registry !== describes) {
      describes = registry;
      text = createObjectInfoText(registry, source, (name, error) =>
        log('ERROR', `object_info leaves out ${name}: ${(error as Error).message}`),
      );
    }
    const info = text();
    res.set({ ETag: info.etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' });
    if (req.get('If-None-Match') === info.etag) {
      res.status(304).end();
    } else if (/\bgzip\b/.test(req.get('Accept-Encoding') ?? '')) {
      res.set({
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Encoding': 'gzip',
      });
      res.send(await info.gzipped());
    } else {
      sendJsonText(res, info.text);
    }
  });

  router.get('/object_info/:name', async (req, res) => {
    const { name } = req.params;
    const definition = (await nodes()).get(name);
    sendJson(res, definition === undefined ? {} : { [name]: nodeInfo(definition, source) });
  });

  router.get('/node_replacements', async (_req, res) => {
    sendJson(res, replacementsJson(await nodes()));
  });

  return router;
}
