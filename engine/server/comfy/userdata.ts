/** /userdata and /v2/userdata: a user's own files (workflows, user.css …). */
import { Router } from 'express';
import type { Request, Response } from 'express';
import { NoodleError } from '../../errors.ts';
import { isFile } from '../../store/paths.ts';
import type { UserFile } from '../../store/userdata.ts';
import {
  deleteUserFile,
  listUserEntries,
  listUserFiles,
  moveUserFile,
  userFile,
  writeUserFile,
} from '../../store/userdata.ts';
import type { Users } from '../../store/users.ts';
import { bodyBytes, queryText, sendEmpty, sendJson, sendText } from '../answer.ts';
import { fileHeaders } from '../content-types.ts';
import { userRoot } from './users.ts';

/** Routes of spec §1.6, user data. */
export function userdataRoutes({ users }: { users: Users }): Router {
  const router = Router();

  router.get('/userdata', (req, res) => {
    const root = userRoot(res, users);
    const dir = queryText(req, 'dir');
    if (!dir) return sendText(res, 400, 'Directory not provided');
    try {
      const files = listUserFiles(root, dir, { recurse: isTrue(req, 'recurse') });
      sendJson(res, files.map(listed(req)));
    } catch (error) {
      if (isCode(error, 'PATH_OUTSIDE')) sendText(res, 403, 'Invalid directory');
      else if (isCode(error, 'FILE_NOT_FOUND')) sendText(res, 404, 'Directory not found');
      else throw error;
    }
  });

  router.get('/v2/userdata', (req, res) => {
    let root: string;
    try {
      root = userRoot(res, users);
    } catch {
      return sendText(res, 403, 'Invalid user specified in request');
    }
    try {
      sendJson(res, listUserEntries(root, decodeTwice(queryText(req, 'path') ?? '')));
    } catch (error) {
      if (isCode(error, 'PATH_OUTSIDE')) sendText(res, 400, 'Invalid path requested');
      else if (isCode(error, 'FILE_NOT_FOUND')) sendText(res, 404, 'Requested path not found');
      else if (isCode(error, 'BAD_INPUT')) sendText(res, 400, 'Requested path is not a directory');
      else throw error;
    }
  });

  router.get('/userdata/:file', (req, res) => {
    withFile(res, () => {
      const name = decodeTwice(req.params.file);
      const path = userFile(userRoot(res, users), name);
      if (!isFile(path)) throw new NoodleError('FILE_NOT_FOUND', { kind: 'file', name });
      const style = name === 'user.css';
      res.set(
        style
          ? { 'Content-Type': 'text/css', 'X-Content-Type-Options': 'nosniff' }
          : downloadHeaders(name),
      );
      res.sendFile(path, { dotfiles: 'allow', cacheControl: false });
    });
  });

  router.post('/userdata/:file', (req, res) => {
    withFile(res, () => {
      const overwrite = queryText(req, 'overwrite') !== 'false';
      const root = userRoot(res, users);
      answer(
        req,
        res,
        writeUserFile(root, decodeTwice(req.params.file), bodyBytes(req), { overwrite }),
      );
    });
  });

  router.delete('/userdata/:file', (req, res) => {
    withFile(res, () => {
      deleteUserFile(userRoot(res, users), decodeTwice(req.params.file));
      sendEmpty(res, 204);
    });
  });

  router.post('/userdata/:file/move/:dest', (req, res) => {
    withFile(res, () => {
      const overwrite = queryText(req, 'overwrite') !== 'false';
      const { file, dest } = req.params;
      const root = userRoot(res, users);
      answer(req, res, moveUserFile(root, decodeTwice(file), decodeTwice(dest), { overwrite }));
    });
  });

  return router;
}

/** How GET /userdata prints one file: its path, the path with its parts, or everything. */
function listed(req: Request): (file: UserFile) => unknown {
  if (isTrue(req, 'full_info')) return (file) => file;
  if (isTrue(req, 'split')) return (file) => [file.path, ...file.path.split('/')];
  return (file) => file.path;
}

function answer(req: Request, res: Response, file: UserFile): void {
  sendJson(res, isTrue(req, 'full_info') ? file : file.path);
}

/** The statuses of file routes: 403 outside, 404 missing, 409 there already, 400 what the OS says. */
function withFile(res: Response, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (isCode(error, 'PATH_OUTSIDE')) sendEmpty(res, 403);
    else if (isCode(error, 'FILE_NOT_FOUND')) sendEmpty(res, 404);
    else if (isCode(error, 'FILE_EXISTS')) sendText(res, 409, 'File already exists');
    else if (error instanceof NoodleError) throw error;
    // The system's own message would name folders of this machine; its code is enough.
    else
      sendText(
        res,
        400,
        `Unable to use this file name (${String((error as NodeJS.ErrnoException).code)})`,
      );
  }
}

/** User files are downloads: nothing of theirs runs in our origin. */
function downloadHeaders(name: string): Record<string, string> {
  const headers = fileHeaders(name.split('/').at(-1) ?? name);
  const disposition = headers['Content-Disposition'];
  return {
    ...headers,
    'Content-Disposition': disposition.startsWith('attachment')
      ? disposition
      : `attachment; ${disposition}`,
  };
}

const isTrue = (req: Request, name: string): boolean =>
  (queryText(req, name) ?? '').toLowerCase() === 'true';

const isCode = (error: unknown, code: string): boolean =>
  error instanceof NoodleError && error.code === code;

/** Old clients encode slashes twice; a name that still holds `%` is decoded once more. */
function decodeTwice(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
