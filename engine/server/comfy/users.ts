/** GET/POST /users and /settings: who there is, and what each has set. */
import { Router } from 'express';
import type { Response } from 'express';
import { mergeSettings, readSettings } from '../../store/settings.ts';
import type { Users } from '../../store/users.ts';
import { bodyJson, sendEmpty, sendJson } from '../answer.ts';
import { isBound, userOf } from '../user.ts';

/** The folder of the user a request speaks for; throws USER_UNKNOWN (401). */
export const userRoot = (res: Response, users: Users): string =>
  users.root(users.resolve(userOf(res)));

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
    if (isBound(res)) return sendEmpty(res, 403);
    const body = bodyJson(req);
    const name = body !== null && typeof body === 'object' && 'username' in body && body.username;
    try {
      sendJson(res, users.add(typeof name === 'string' ? name : ''));
    } catch (error) {
      sendJson(res, { error: (error as Error).message }, 400);
    }
  });

  router.get('/settings', (_req, res) => {
    sendJson(res, readSettings(userRoot(res, users)));
  });

  router.post('/settings', (req, res) => {
    mergeSettings(userRoot(res, users), bodyJson(req));
    sendEmpty(res);
  });

  router.get('/settings/:id', (req, res) => {
    const settings = readSettings(userRoot(res, users));
    sendJson(res, Object.hasOwn(settings, req.params.id) ? settings[req.params.id] : null);
  });

  router.post('/settings/:id', (req, res) => {
    const value = bodyJson(req);
    mergeSettings(userRoot(res, users), Object.fromEntries([[req.params.id, value]]));
    sendEmpty(res);
  });

  return router;
}

/** The users a client may choose from: with a token of its own, that one. */
function shown(
  res: Response,
  all: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (!isBound(res)) return all;
  return Object.fromEntries(Object.entries(all).filter(([id]) => id === userOf(res)));
}
