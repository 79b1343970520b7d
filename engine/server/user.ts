/** Who a request speaks for: the guard's rung says it once, everybody else asks here. */
import type { Request, RequestHandler, Response } from 'express';
import { sendEmpty } from './answer.ts';
import type { Users } from '../store/users.ts';

interface Asker {
  readonly user: string | undefined;
  /** By a token of the user's own, not by a header alone. */
  readonly isBound: boolean;
}

/**
 * Keeps who asks: the user whose own token the request carries (`tokenOwner`), else the one that its
 * `comfy-user` header names. 403 where the header names another than the token's.
 */
export function identify(tokenOwner: (req: Request) => string | undefined): RequestHandler {
  return (req, res, next) => {
    const header = req.headers['comfy-user'];
    const named = typeof header === 'string' ? header : undefined;
    const owner = tokenOwner(req);
    if (owner !== undefined && header !== undefined && named !== owner) return sendEmpty(res, 403);
    const asker: Asker = { user: owner ?? named, isBound: owner !== undefined };
    res.locals.asker = asker;
    next();
  };
}

const askerOf = (res: Response): Asker =>
  (res.locals.asker as Asker | undefined) ?? { user: undefined, isBound: false };

/** The user that the request names, whether there is such a user or not; undefined for none. */
export const userOf = (res: Response): string | undefined => askerOf(res).user;

/** Whether the request carries a user's own token: it can be nobody else then. */
export const isBound = (res: Response): boolean => askerOf(res).isBound;

/** The owner of what the request makes: the user it names; undefined where there is no such user. */
export function ownerOf(res: Response, users: Users): string | undefined {
  const user = userOf(res);
  return users.multiUser && user !== undefined && Object.hasOwn(users.list(), user)
    ? user
    : undefined;
}
