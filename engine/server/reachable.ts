/** Files that clients must never be able to read or replace through a route. */
import { dirname, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { NoodleError } from '../errors.ts';
import type { Folders } from '../store/folders.ts';
import { isInside, resolveInside } from '../store/paths.ts';

type Private = Pick<Config, 'database' | 'tls' | 'userTokens' | 'webRoot'> & {
  readonly engine: Pick<Config['engine'], 'folders'>;
};

/**
 * Throws BAD_INPUT when the flags put the user folder, the database, keys, tokens or configuration
 * into a folder that routes read from or write to: `/view` and uploads (input, output, temp), the
 * page's files, or the files of a user. Links are resolved first.
 */
export function refuseReachable(
  folders: Pick<Folders, 'input' | 'output' | 'temp' | 'user'>,
  { database, tls, userTokens, webRoot, engine }: Private,
): void {
  const { input, output, temp, user } = folders;
  const files: readonly (readonly [flag: string, path: string | undefined])[] = [
    ['--database-url', database === ':memory:' ? undefined : database],
    ['--tls-keyfile', tls?.keyFile],
    ['--user-tokens', userTokens],
    ...(engine.folders.extraModelPaths ?? []).map(
      (path) => ['--extra-model-paths-config', path] as const,
    ),
  ];
  const served = [input, output, temp, ...(webRoot === undefined ? [] : [webRoot])];
  for (const root of served) refuseInside('--user-directory', user, root);
  for (const [flag, path] of files) {
    if (path === undefined) continue;
    for (const root of served) refuseInside(flag, path, root);
    // Directly in the user folder lies what is the server's own; deeper, what is a user's.
    if (real(dirname(path)) !== real(user)) refuseInside(flag, path, user);
  }
}

function refuseInside(flag: string, path: string, root: string): void {
  if (!isInside(real(root), real(path))) return;
  throw new NoodleError('BAD_INPUT', {
    subject: flag,
    expected: `a place outside of ${root}, whose files clients can read`,
    got: path,
  });
}

/** The path with its links resolved, whether it exists or not. */
const real = (path: string): string => resolveInside(resolve(path), '');
