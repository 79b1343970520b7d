/**
 * Who uses this server. Without --multi-user there is one user, `default`; with it the users of
 * `users.json` in the user folder, named by a request header. Names starting with `__` are reserved
 * for the system and can be reached by nobody from outside.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NoodleError } from '../errors.ts';
import { parseJson, stringifyJson } from '../workflow/lossless-json.ts';
import { resolveInside } from './paths.ts';
import { writeFileAtomic } from './write.ts';

const SYSTEM_PREFIX = '__';
const DEFAULT_USER = 'default';

export interface Users {
  readonly multiUser: boolean;
  /** id -> display name. */
  list(): Readonly<Record<string, string>>;
  /** The user of a request with this `comfy-user` header; throws USER_UNKNOWN. */
  resolve(header: string | undefined): string;
  /** Adds a user and returns its id; throws USER_NAME for blank, reserved and duplicate names. */
  add(name: string): string;
  /** The user's folder, created. */
  root(id: string): string;
  /** Whether the single user's folder exists already (GET /users' `migrated`). */
  migrated(): boolean;
}

/** The users of one user folder. */
export function createUsers(userFolder: string, { multiUser }: { multiUser: boolean }): Users {
  const file = join(userFolder, 'users.json');
  const users: Record<string, string> = multiUser ? readUsers(file) : {};
  const migrated = existsSync(join(userFolder, DEFAULT_USER));

  return {
    multiUser,
    list: () => users,
    resolve: (header) => {
      if (!multiUser) return DEFAULT_USER;
      const id = header ?? DEFAULT_USER;
      if (id.startsWith(SYSTEM_PREFIX) || !Object.hasOwn(users, id)) {
        throw new NoodleError('USER_UNKNOWN', { user: id });
      }
      return id;
    },
    add: (name) => {
      const trimmed = name.trim();
      if (trimmed === '') throw new NoodleError('USER_NAME', { reason: 'username not provided' });
      if (trimmed.startsWith(SYSTEM_PREFIX)) {
        throw new NoodleError('USER_NAME', { reason: 'System User prefix not allowed' });
      }
      if (Object.values(users).includes(trimmed)) {
        throw new NoodleError('USER_NAME', { reason: 'Duplicate username.' });
      }
      const id = `${trimmed.replace(/[^a-zA-Z0-9-_]+/g, '-')}_${randomUUID()}`;
      users[id] = trimmed;
      mkdirSync(userFolder, { recursive: true });
      writeFileAtomic(file, stringifyJson(users, { indent: 4 }));
      return id;
    },
    root: (id) => {
      const path = resolveInside(userFolder, id);
      mkdirSync(path, { recursive: true });
      return path;
    },
    migrated: () => migrated,
  };
}

function readUsers(file: string): Record<string, string> {
  const users: Record<string, string> = Object.create(null) as Record<string, string>;
  if (!existsSync(file)) return users;
  const stored = parseJson(readFileSync(file, 'utf8'));
  if (stored === null || typeof stored !== 'object') return users;
  for (const [id, name] of Object.entries(stored)) if (typeof name === 'string') users[id] = name;
  return users;
}
