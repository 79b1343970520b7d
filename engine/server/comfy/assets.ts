/** ComfyUI's assets API: /api/assets and /api/tags, spec §1.9. Every route here lies under /api only. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from 'express';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Assets } from '../../assets/client.ts';
import { parseHash } from '../../assets/hash-text.ts';
import { type RootName, SCAN_ROOTS } from '../../assets/roots.ts';
import { NoodleError } from '../../errors.ts';
import type { Users } from '../../store/users.ts';
import { lazily } from '../lazily.ts';
import { userOf } from '../user.ts';
import { bodyFields, queryText, sendEmpty, sendJson, sendJsonText, sendText } from '../answer.ts';
import {
  readChanges,
  readForm,
  readFromHash,
  readObject,
  readPage,
  readRefine,
  readTagQuery,
  readTags,
} from './asset-requests.ts';

export interface AssetRouteOptions {
  /** Undefined where assets are turned off: every route answers 503. */
  readonly assets: Assets | undefined;
  readonly users: Users;
  /** --enable-asset-hashing. */
  readonly hashing: boolean;
  /** The temporary folder; uploads wait in a folder of it. */
  readonly temp: string;
  /** Bytes of one upload at most. */
  readonly maxUploadBytes: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whose assets a request may see: with one user all are everybody's. */
export const assetOwner = (res: Response, users: Users): string =>
  users.multiUser ? users.resolve(userOf(res)) : '';

/** Routes of spec §1.9, to be mounted at /api. */
export function assetRoutes(options: AssetRouteOptions): Router {
  const { assets, users, hashing } = options;
  const router = Router();
  router.use(['/assets', '/tags'], (_req, _res, next) => {
    if (assets === undefined) throw new NoodleError('SERVICE_DISABLED');
    next();
  });
  if (assets === undefined) return router.use(answerError);

  const { call } = assets;
  const owner = (res: Response): string => assetOwner(res, users);
  const keyOf = (req: Request, res: Response) => ({
    id: String(req.params.id).toLowerCase(),
    owner: owner(res),
  });
  const requireHashing = (): void => {
    if (!hashing) throw new NoodleError('FEATURE_DISABLED');
  };
  router.param('id', (_req, _res, next, id: string) => {
    next(UUID.test(id.toLowerCase()) ? undefined : 'route');
  });

  router.head('/assets/hash/:hash', async (req, res) => {
    const hash = parseHash(req.params.hash);
    if (hash === undefined) throw new NoodleError('INVALID_HASH');
    sendEmpty(res, (await call('hasHash', hash)) ? 200 : 404);
  });

  router.get('/assets', async (req, res) => {
    sendJsonText(res, await call('list', readPage(req, owner(res))));
  });
  router.get('/assets/tags/refine', async (req, res) => {
    const { filter, limit } = readRefine(req, owner(res));
    sendJsonText(res, await call('tagCounts', filter, limit));
  });
  router.get('/tags', async (req, res) => {
    sendJsonText(res, await call('tags', readTagQuery(req, owner(res))));
  });

  router.get('/assets/:id', async (req, res) => {
    sendJsonText(res, await call('get', keyOf(req, res)));
  });
  router.put('/assets/:id', async (req, res) => {
    sendJsonText(res, await call('update', keyOf(req, res), readChanges(readObject(req))));
  });
  router.delete('/assets/:id', async (req, res) => {
    await call('remove', keyOf(req, res));
    sendEmpty(res, 204);
  });
  router.post('/assets/:id/tags', async (req, res) => {
    const tags = readTags(readObject(req));
    sendJsonText(res, await call('addTags', { ...keyOf(req, res), tags }));
  });
  router.delete('/assets/:id/tags', async (req, res) => {
    const tags = readTags(readObject(req));
    sendJsonText(res, await call('removeTags', { ...keyOf(req, res), tags }));
  });
  router.get('/assets/:id/content', async (req, res) => {
    const { path, name, mime } = await call('file', keyOf(req, res));
    res.set(contentHeaders(req, name, mime));
    res.sendFile(path, { dotfiles: 'allow', cacheControl: false });
  });

  router.post('/assets', uploadForm(options), async (req, res) => {
    const { hash, ...request } = readForm((req.body ?? {}) as Record<string, unknown>, owner(res));
    if (req.file !== undefined) {
      if (req.file.size === 0) throw new NoodleError('EMPTY_UPLOAD');
      const { path, originalname: fileName } = req.file;
      const { text, createdNew } = await call('upload', { ...request, hash, path, fileName });
      return sendJsonText(res, text, createdNew ? 201 : 200);
    }
    if (hash === undefined) throw new NoodleError('MISSING_FILE');
    requireHashing();
    if (!(await call('hasHash', hash))) throw new NoodleError('MISSING_FILE');
    const { text, createdNew } = await call('fromHash', hash, request);
    sendJsonText(res, text, createdNew ? 201 : 200);
  });
  router.post('/assets/from-hash', async (req, res) => {
    const { hash, request } = readFromHash(readObject(req), owner(res));
    requireHashing();
    sendJsonText(res, (await call('fromHash', hash, request)).text, 201);
  });

  router.post('/assets/seed', async (req, res) => {
    const { roots = [...SCAN_ROOTS] } = bodyFields(req, { lenient: true });
    const names = SCAN_ROOTS.filter((name) => Array.isArray(roots) && roots.includes(name));
    if (names.length === 0) {
      throw new NoodleError('INVALID_BODY', { reason: 'roots: expected models, input or output' });
    }
    await startScan(res, names, /^(true|1|yes)$/i.test(queryText(req, 'wait') ?? ''));
  });
  const startScan = async (res: Response, names: RootName[], wait: boolean): Promise<void> => {
    if (!(await call('startScan', names))) {
      return sendJson(res, { status: 'already_running' }, 409);
    }
    if (!wait) return sendJson(res, { status: 'started' }, 202);
    await call('scanIdle');
    const { progress, errors } = await call('scanStatus');
    sendJson(res, {
      status: 'completed',
      progress: progress ?? { scanned: 0, total: 0, created: 0, skipped: 0 },
      errors,
    });
  };
  router.get('/assets/seed/status', async (_req, res) => sendJson(res, await call('scanStatus')));
  router.post('/assets/seed/cancel', async (_req, res) => {
    sendJson(res, { status: (await call('cancelScan')) ? 'cancelling' : 'idle' });
  });
  router.post('/assets/prune', async (_req, res) => {
    const marked = await call('prune');
    if (marked === undefined) sendJson(res, { status: 'scan_running', marked: 0 }, 409);
    else sendJson(res, { status: 'completed', marked });
  });

  return router.use(answerError);
}

/** A page that asks for the nodes is about to offer files: what lies there is looked through anew. */
export function assetScanRoutes({ assets }: Pick<AssetRouteOptions, 'assets'>): Router {
  const router = Router();
  router.get('/object_info', (_req, _res, next) => {
    assets?.call('startScan', SCAN_ROOTS).catch(() => undefined);
    next();
  });
  return router;
}

/** Takes one file `file` into a temporary one, and text fields. */
function uploadForm({ temp, maxUploadBytes }: AssetRouteOptions): RequestHandler {
  const folder = join(temp, 'uploads');
  return lazily(async () => {
    const { default: multer } = await import('multer');
    const parse = multer({
      storage: multer.diskStorage({
        destination: (_req, _file, done) => {
          mkdirSync(folder, { recursive: true });
          done(null, folder);
        },
        filename: (_req, _file, done) => done(null, `${randomUUID()}.part`),
      }),
      // Without it names arrive as Latin-1.
      defParamCharset: 'utf8',
      limits: { fileSize: maxUploadBytes, files: 1, fields: 64, fieldSize: 1024 * 1024 },
    }).single('file');
    return (req, res, next) => {
      if (!req.is('multipart/*')) {
        const reason = 'expected multipart/form-data';
        throw new NoodleError('UNSUPPORTED_MEDIA_TYPE', { reason });
      }
      // Whatever becomes of the request, its bytes are not left behind.
      res.once('close', () => {
        if (req.file !== undefined) rmSync(req.file.path, { force: true });
      });
      void parse(req, res, (error: unknown) => {
        if (error instanceof multer.MulterError && error.code === 'LIMIT_FILE_SIZE') {
          sendText(res, 413, `Maximum request body size ${maxUploadBytes} exceeded.`);
        } else if (error) {
          const reason = `form: ${error instanceof Error ? error.message : 'malformed'}`;
          next(new NoodleError('INVALID_BODY', { reason }));
        } else next();
      });
    };
  });
}

/** Types that show or play and run nothing; everything else is a download of unknown type. */
const INERT =
  /^(image\/(?!svg)|video\/|audio\/|model\/|font\/|text\/plain$|application\/(json|pdf)$)/;

/** Clients name type and file as they like: neither may make a browser run what was uploaded. */
function contentHeaders(req: Request, name: string, mime = ''): Record<string, string> {
  const type = mime.split(';')[0].trim().toLowerCase();
  const svgPicture = type === 'image/svg+xml' && req.headers['sec-fetch-dest'] === 'image';
  const inert = svgPicture || (INERT.test(type) && !type.endsWith('+xml'));
  const inline = inert && queryText(req, 'disposition')?.trim().toLowerCase() === 'inline';
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return {
    'Content-Type': inert ? type : 'application/octet-stream',
    'Content-Disposition': `${inline ? 'inline' : 'attachment'}; filename*=UTF-8''${encoded}`,
    'X-Content-Type-Options': 'nosniff',
    ...(inert && !svgPicture ? {} : { Vary: 'Sec-Fetch-Dest', 'Cache-Control': 'no-store' }),
  };
}

/** Refusals in this API's own shape. */
const answerError: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent || !(error instanceof NoodleError)) return next(error);
  const { code, message, status, details } = error;
  sendJson(res, { error: { code, message, details: details.details ?? {} } }, status);
};
