/** The file of --user-tokens: which token makes a request whose. */
import { readFileSync } from 'node:fs';
import { NoodleError } from '../errors.ts';

const SHORTEST = 16;

/**
 * Reads `{"user id": "token", …}` and returns the ids by token. Throws BAD_INPUT when the file cannot
 * be read, is anything else, or holds a short or repeated token or an id that is reserved.
 */
export function readUserTokens(path: string): ReadonlyMap<string, string> {
  const refuse = (got: string): never => {
    throw new NoodleError('BAD_INPUT', {
      subject: `--user-tokens ${path}`,
      expected: `a JSON object of user ids and their tokens (${SHORTEST} characters and more)`,
      got,
    });
  };
  let stored: unknown;
  try {
    stored = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // Never the parser's own words: they quote the file.
    const { code } = error as NodeJS.ErrnoException;
    return refuse(code ?? 'a file that is no JSON');
  }
  if (stored === null || typeof stored !== 'object' || Array.isArray(stored)) {
    return refuse('another JSON value');
  }
  const users = new Map<string, string>();
  for (const [user, token] of Object.entries(stored)) {
    if (user === '' || user.startsWith('__')) refuse(`the id '${user}'`);
    if (typeof token !== 'string' || token.length < SHORTEST) refuse(`a short token of '${user}'`);
    if (users.has(token as string)) refuse(`one token for two users, one of them '${user}'`);
    users.set(token as string, user);
  }
  return users;
}
