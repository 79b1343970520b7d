/** GET/POST /users and /settings: who there is, and what each has set. */
import { Router } from 'express';
import type { Request } from 'express';
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
    sendJson(
      res,
      users.multiUser
        ? { storage: 'server', users: users.list() }
        : { storage: 'server', migrated: users.migrated() },
    );
  });

  router.post('/users', (req, res) => {
    if (!users.multiUser) {
      sendJson(res, { error: 'this server has a single user (no --multi-user)' }, 400);
      return;
    }
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
