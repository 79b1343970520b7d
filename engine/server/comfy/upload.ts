/** POST /upload/image and /upload/mask: files from clients into the input (or temp, output) folder. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { Assets } from '../../assets/client.ts';
import type { UploadedAsset } from '../../assets/operations.ts';
import { NoodleError } from '../../errors.ts';
import { type Pictures, createPictures } from '../../media/picture-thread.ts';
import { TEXT_MODELS, sniffKind } from '../../media/sniff.ts';
import type { DirectoryType, Folders } from '../../store/folders.ts';
import { splitAnnotation } from '../../store/folders.ts';
import { writeUnderFreeName } from '../../store/free-name.ts';
import { below, isFile, nameParts } from '../../store/paths.ts';
import type { Users } from '../../store/users.ts';
import { writeFileAtomic } from '../../store/write.ts';
import { parseJson } from '../../workflow/lossless-json.ts';
import { sendEmpty, sendError, sendJson } from '../answer.ts';
import { lazily } from '../lazily.ts';
import { assetOwner } from './assets.ts';

const TYPES: readonly string[] = ['input', 'temp', 'output'];

export interface UploadOptions {
  readonly folders: Folders;
  /** Bytes of one upload at most. */
  readonly maxUploadBytes: number;
  /** --default-hashing-function: how equal files are told. */
  readonly hash: string;
  /** Uploads become assets; undefined where assets are turned off. */
  readonly assets?: Assets;
  readonly users: Users;
  /** Where pictures are decoded. */
  readonly pictures?: Pictures;
}

/** Routes of spec §1.4, uploads. */
export function uploadRoutes(options: UploadOptions): Router {
  const { folders, maxUploadBytes, pictures = createPictures() } = options;
  const router = Router();
  const form = singleFile(maxUploadBytes);

  router.post('/upload/image', form, async (req, res) => {
    const upload = readUpload(req);
    if (upload === undefined) return sendEmpty(res, 400);
    const problem = refusal(upload);
    if (problem !== undefined) {
      return sendError(res, 400, {
        type: 'invalid_upload',
        message: `'${upload.name}' is not a picture, film, sound or 3D file`,
        details: problem,
      });
    }
    sendJson(res, await storeUpload(options, res, upload));
  });

  router.post('/upload/mask', form, async (req, res) => {
    const upload = readUpload(req);
    if (upload === undefined) return sendEmpty(res, 400);
    const original = originalOf(req, folders);
    if (original === undefined) {
      return sendError(res, 400, {
        type: 'invalid_upload',
        message: 'original_ref is missing or does not name a file',
        details: 'expected JSON {"filename", "type"?, "subfolder"?} of an existing picture',
      });
    }
    let bytes: Uint8Array;
    try {
      bytes = await pictures.mergeMask(original, upload.bytes);
    } catch (error) {
      if (!(error instanceof NoodleError)) throw error;
      return sendError(res, 400, { type: 'invalid_upload', message: error.message });
    }
    sendJson(res, await storeUpload(options, res, { ...upload, bytes }));
  });

  return router;
}

interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type: DirectoryType;
  readonly subfolder: string;
  readonly overwrite: boolean;
}

/** Takes one file `image` and text fields; 413 over the limit, 400 for anything malformed. */
function singleFile(maxUploadBytes: number): RequestHandler {
  return lazily(async () => {
    const { default: multer } = await import('multer');
    const parse = multer({
      storage: multer.memoryStorage(),
      // Without it names arrive as Latin-1.
      defParamCharset: 'utf8',
      preservePath: true,
      limits: { fileSize: maxUploadBytes, files: 1, fields: 32, fieldSize: 1024 * 1024 },
    }).single('image');
    return (req, res, next) => {
      void parse(req, res, (error: unknown) => {
        if (error instanceof multer.MulterError && error.code === 'LIMIT_FILE_SIZE') {
          res
            .status(413)
            .type('text')
            .send(`Maximum request body size ${maxUploadBytes} exceeded.`);
        } else if (error) {
          const details = error instanceof Error ? error.message : 'malformed multipart body';
          sendError(res, 400, {
            type: 'invalid_upload',
            message: 'Could not read the form',
            details,
          });
        } else next();
      });
    };
  });
}

/** The upload of a parsed form; undefined without a file, a name or a known directory type. */
function readUpload(req: Request): Upload | undefined {
  const fields = (req.body ?? {}) as Record<string, unknown>;
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  const type = text('type') || 'input';
  if (req.file === undefined || req.file.originalname === '' || !TYPES.includes(type)) {
    return undefined;
  }
  return {
    name: req.file.originalname,
    bytes: req.file.buffer,
    type: type as DirectoryType,
    subfolder: text('subfolder'),
    overwrite: ['true', '1'].includes(text('overwrite')),
  };
}

/** Why a file is not taken: its content decides, never its name alone. */
function refusal({ name, bytes }: Upload): string | undefined {
  const kind = sniffKind(bytes);
  if (kind === 'text' && TEXT_MODELS.has(extname(name).toLowerCase())) return undefined;
  if (kind === 'text') return 'the content is text';
  if (kind === 'unknown') return bytes.length === 0 ? 'the file is empty' : 'unknown content';
  return undefined;
}

interface Stored {
  readonly name: string;
  readonly subfolder: string;
  readonly type: DirectoryType;
}

/** Stores an upload and makes it an asset, where there are any. */
async function storeUpload(
  { folders, hash, assets, users }: UploadOptions,
  res: Response,
  upload: Upload,
): Promise<Stored & { asset?: UploadedAsset }> {
  const { written, ...stored } = named(upload.name, () => store(folders, upload, hash));
  if (assets === undefined) return stored;
  const { name, subfolder, type } = stored;
  const root = folders.directory(type);
  const path = join(root, ...nameParts(below(subfolder, name)));
  const owner = assetOwner(res, users);
  try {
    const asset = await assets.call('registerUpload', { path, owner, name, tags: [], written });
    return { ...stored, asset };
  } catch {
    // The file is there all the same; a scan finds it later.
    return stored;
  }
}

/** What the system says of a name that is a folder's already, goes through a file, or is too long. */
const BAD_NAME = ['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY', 'ENAMETOOLONG', 'EINVAL', 'ELOOP'];

/** Runs a file operation; that its name cannot be used is the client's error. */
function named<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (error instanceof NoodleError || !BAD_NAME.includes(code)) throw error;
    const expected = 'a name that is free for a file';
    throw new NoodleError('BAD_INPUT', { subject: name, expected, got: code }, { cause: error });
  }
}

/** Writes the file under its name, or the next free one; equal content is not written twice. */
function store(
  folders: Folders,
  { name, bytes, type, subfolder, overwrite }: Upload,
  hash: string,
): Stored & { readonly written: boolean } {
  const parts = nameParts(name);
  if (parts.length === 0) {
    throw new NoodleError('PATH_OUTSIDE', { path: name, reason: 'names no file' });
  }
  const wanted = folders.resolve(type, below(subfolder, name));
  mkdirSync(join(wanted, '..'), { recursive: true });
  if (overwrite) {
    writeFileAtomic(wanted, bytes);
    return { name: parts.join('/'), subfolder, type, written: true };
  }
  const digest = digestOf(bytes, hash);
  const isEqual = (path: string): boolean => digestOf(readFileSync(path), hash) === digest;
  const { name: last, written } = writeUnderFreeName(wanted, bytes, isEqual);
  return { name: [...parts.slice(0, -1), last].join('/'), subfolder, type, written };
}

const digestOf = (bytes: Uint8Array, hash: string): string =>
  createHash(hash).update(bytes).digest('hex');

/** The picture that a mask belongs to, as `original_ref` names it. */
function originalOf(req: Request, folders: Folders): string | undefined {
  const fields = (req.body ?? {}) as Record<string, unknown>;
  let reference: unknown;
  try {
    reference = parseJson(typeof fields.original_ref === 'string' ? fields.original_ref : '');
  } catch {
    return undefined;
  }
  if (reference === null || typeof reference !== 'object') return undefined;
  const { filename, type, subfolder } = reference as Record<string, unknown>;
  if (typeof filename !== 'string' || filename === '') return undefined;
  const { type: annotated, bare } = splitAnnotation(filename);
  const directory = annotated ?? (typeof type === 'string' ? type : 'output');
  if (!TYPES.includes(directory)) return undefined;
  const name = below(typeof subfolder === 'string' ? subfolder : '', bare);
  const path = folders.resolve(directory as DirectoryType, name);
  return isFile(path) ? path : undefined;
}
