/** Asking a program of the system. */
import { execFile } from 'node:child_process';

/** What it prints within `limit` milliseconds; nothing where there is no such program, or it fails. */
export const ask = (program: string, args: readonly string[], limit: number): Promise<string> =>
  new Promise((resolve) => {
    execFile(program, args, { timeout: limit }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
