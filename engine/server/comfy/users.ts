/** GET/POST /users and /settings: who there is, and what each has set. */
import { Router } from 'express';
import type { Request, Response } from 'express';
import { mergeSettings, readSettings } from '../../store/settings.ts';
import type { Users } from '../../store/users.ts';
import { bodyJson, sendEmpty, sendJson } from '../answer.ts';

/** The folder of the user a request speaks for; throws USER_UNKNOWN (401). */
export function requestUserRoot(req: Request, users: Users): string {
  const header = req.headers['comfy-user'];
  return users.root(users.resolve(typeof header === 'string' ? header : undefined));
}

/** Routes of spec §1.6, users and settings. */
export function userRoutes({ users }: { users: Users }): Router {
  const router = Router();

  router.get('/users', (_req, res) => {
    if (users.multiUser) sendJson(res, { storage: 'server', users: shown(res, users.list()) });
    else sendJson(res, { storage: 'server', migrated: users.migrated() });
  });

  router.post('/users', (req, res) => {
    if (!users.multiUser) {
      sendJson(res, { error: 'this server has a single user (no --multi-user)' }, 400);
      return;
    }
    // Whoever came with a token of their own is one user, and adds no others.
    if (boundUser(res) !== undefined) return sendEmpty(res, 403);
    const body = bodyJson(req);
    const name = body !== null && typeof body === 'object' && 'username' in body && body.username;
    try {
      sendJson(res, users.add(typeof name === 'string' ? name : ''));
    } catch (error) {
      sendJson(res, { error: (error as Error).message }, 400);
    }
  });

  router.get('/settings', (req, res) => {
    sendJson(res, readSettings(requestUserRoot(req, users)));
  });

  router.post('/settings', (req, res) => {
    mergeSettings(requestUserRoot(req, users), bodyJson(req));
    sendEmpty(res);
  });

  router.get('/settings/:id', (req, res) => {
    const settings = readSettings(requestUserRoot(req, users));
    sendJson(res, Object.hasOwn(settings, req.params.id) ? settings[req.params.id] : null);
  });

  router.post('/settings/:id', (req, res) => {
    const value = bodyJson(req);
    mergeSettings(requestUserRoot(req, users), Object.fromEntries([[req.params.id, value]]));
    sendEmpty(res);
  });

  return router;
}

/** The user whose own token the request carries. */
const boundUser = (res: Response): string | undefined => res.locals.user as string | undefined;

/** The users a client may choose from: with a token of its own, that one. */
function shown(res: Response, all: Readonly<Record<string, string>>): Record<string, string> {
  const only = boundUser(res);
  const entries = Object.entries(all);
  return Object.fromEntries(only === undefined ? entries : entries.filter(([id]) => id === only));
}
