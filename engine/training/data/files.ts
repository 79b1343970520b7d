/** The pictures of a data set on the disk, and what lies beside them. */
import { statSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, relative, sep } from 'node:path';
import { NoodleError } from '../../errors.ts';
import { byCodePoint } from '../../store/list-files.ts';
import { type Links, canBeNamed, isFile, isInside, resolveInside } from '../../store/paths.ts';
import { walkFiles } from '../../store/walk.ts';
import { CACHE_FOLDERS } from './cache.ts';
import type { PictureFile } from './item.ts';
import type { DatasetSettings } from './settings.ts';
import { captionIn, readCaption, readCaptionList, sidecarOf } from './sidecars.ts';

const PICTURES = ['.jpg', '.jpeg', '.png', '.webp'];
const MASKS = [...PICTURES, '.JPG', '.JPEG', '.PNG', '.WEBP'];

/** Folders of ai-toolkit's pages and of caches: nothing in them is trained. */
const PASSED_OVER: readonly string[] = ['_controls', ...CACHE_FOLDERS];

/**
 * The pictures of a data set with their captions: those of a folder and the folders below it, by name; or
 * those that a JSON file lists, in its order. Nothing hidden, no masks, and no link that `links` does not
 * follow. Throws BAD_INPUT where there are none, FILE_NOT_FOUND for a listed picture or a folder of masks that is missing.
 */
export function findPictures(
  settings: DatasetSettings,
  links: Links,
): { readonly root: string; readonly pictures: readonly PictureFile[] } {
  const { folderPath, maskPath } = settings;
  if (maskPath !== undefined && !isFolder(maskPath)) {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'mask_path', name: basename(maskPath) });
  }
  const isList = isFile(folderPath);
  const pictures = isList ? listed(settings, links) : inFolder(settings, links);
  if (pictures.length > 0) return { root: isList ? dirname(folderPath) : folderPath, pictures };
  const expected = `a ${isList ? 'list' : 'folder'} with PNG, JPEG or WebP files`;
  throw new NoodleError('BAD_INPUT', {
    subject: 'folder_path',
    expected,
    got: basename(folderPath),
  });
}

function inFolder(settings: DatasetSettings, links: Links): PictureFile[] {
  const { folderPath: root, maskPath } = settings;
  const reach = (path: string): boolean => {
    try {
      resolveInside(root, nameOf(root, path), { links });
      return true;
    } catch {
      return false;
    }
  };
  const files = walkFiles(root, {
    takes: (name) => !name.startsWith('.') && canBeNamed(name) && !PASSED_OVER.includes(name),
    follows: reach,
  });
  const isMask = (path: string): boolean =>
    maskPath !== undefined && maskPath !== root && isInside(maskPath, path);
  const names = [...files]
    .filter((path) => isPicture(path) && !isMask(path))
    .map((path) => nameOf(root, path))
    .sort(byCodePoint);
  return names.map((name) => {
    const sidecar = sidecarOf(name, settings.captionExt);
    const text = readCaption(resolveInside(root, sidecar, { links }), sidecar, settings);
    return { name, path: resolveInside(root, name, { links }), text };
  });
}

function listed(settings: DatasetSettings, links: Links): PictureFile[] {
  const { folderPath: list } = settings;
  const root = dirname(list);
  const pictures = readCaptionList(list, basename(list)).filter(([name]) => isPicture(name));
  return pictures.map(([given, value]) => {
    const name = isAbsolute(given) && isInside(root, given) ? nameOf(root, given) : given;
    const path = resolveInside(root, name, { links, mustExist: true, kind: 'picture' });
    return { name, path, text: captionIn(value, `${basename(list)}: ${given}`, settings) };
  });
}

/**
 * The mask of a picture: of its stem, in the same folder below `maskPath` or directly in there. Undefined
 * without one: all of the picture counts.
 */
export function findMask(maskPath: string, picture: string, links: Links): string | undefined {
  const stem = picture.slice(0, picture.length - extname(picture).length);
  const names = [stem, basename(stem)].flatMap((at) => MASKS.map((ending) => at + ending));
  const paths = names.map((name) => resolveInside(maskPath, name, { links }));
  return paths.find(isFile);
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isPicture = (path: string): boolean => PICTURES.includes(extname(path).toLowerCase());

const nameOf = (root: string, path: string): string => relative(root, path).replaceAll(sep, '/');
