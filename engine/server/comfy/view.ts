/** GET /view: pictures and other files of the output, input and temp folders. */
import { basename } from 'node:path';
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Assets } from '../../assets/client.ts';
import { parseHash } from '../../assets/hash-text.ts';
import { NoodleError } from '../../errors.ts';
import { type Pictures, createPictures } from '../../media/picture-thread.ts';
import type { DirectoryType, Folders } from '../../store/folders.ts';
import { splitAnnotation } from '../../store/folders.ts';
import { below, isFile } from '../../store/paths.ts';
import { queryText, sendEmpty } from '../answer.ts';
import { fileHeaders } from '../content-types.ts';

const TYPES = ['output', 'input', 'temp'];

export interface ViewOptions {
  readonly folders: Folders;
  /** Files by their hash; undefined where assets are turned off. */
  readonly assets?: Assets;
  /** Where pictures are decoded. */
  readonly pictures?: Pictures;
}

/** Routes of spec §1.4, GET /view; the steps are numbered as there. */
export function viewRoutes(options: ViewOptions): Router {
  const { folders, assets, pictures = createPictures() } = options;
  const router = Router();

  router.get('/view', async (req, res) => {
    const filename = queryText(req, 'filename'); // 1
    if (!filename) return sendEmpty(res, 404);
    if (filename.startsWith('blake3:')) {
      const hash = parseHash(filename);
      const file = hash === undefined ? undefined : await assets?.call('byHash', hash);
      if (file === undefined) return sendEmpty(res, 404);
      return sendView(req, res, file.path, pictures);
    }
    const { type: annotated, bare } = splitAnnotation(filename); // 2
    if (bare === '' || /^[\\/]/.test(bare) || bare.includes('..')) return sendEmpty(res, 400);
    const type = annotated ?? queryText(req, 'type') ?? 'output'; // 3
    if (!TYPES.includes(type)) return sendEmpty(res, 400);

    let path: string;
    try {
      const subfolder = queryText(req, 'subfolder') ?? ''; // 4
      const name = basename(bare.replaceAll('\\', '/')); // 5
      path = folders.resolve(type as DirectoryType, below(subfolder, name));
    } catch (error) {
      if (error instanceof NoodleError) return sendEmpty(res, error.status);
      throw error;
    }
    if (!isFile(path)) return sendEmpty(res, 404); // 6
    await sendView(req, res, path, pictures);
  });

  return router;
}

/** Steps 7 to 9: the file, or what the query makes of it. */
async function sendView(
  req: Request,
  res: Response,
  path: string,
  pictures: Pictures,
): Promise<void> {
  const preview = queryText(req, 'preview');
  const channel = queryText(req, 'channel');
  if (preview !== undefined || channel === 'rgb' || channel === 'a') {
    return sendTransformed(res, path, pictures, { preview, channel }); // 7, 8
  }
  const destination = req.headers['sec-fetch-dest'];
  res.set(fileHeaders(basename(path), String(destination ?? ''))); // 9
  res.sendFile(path, { dotfiles: 'allow', cacheControl: false });
}

/** The picture as another format or with some of its channels; 415 when it is no picture. */
async function sendTransformed(
  res: Response,
  path: string,
  pictures: Pictures,
  options: { preview?: string; channel?: string },
): Promise<void> {
  try {
    const { bytes, mime } = await pictures.view(path, options);
    res.set({
      'Content-Type': mime,
      'Content-Disposition': fileHeaders(basename(path))['Content-Disposition'],
      'X-Content-Type-Options': 'nosniff',
    });
    res.send(Buffer.from(bytes));
  } catch (error) {
    if (error instanceof NoodleError) sendEmpty(res, 415);
    else throw error;
  }
}
