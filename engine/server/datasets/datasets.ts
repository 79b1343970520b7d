/**
 * Data sets: folders below the input folder that hold pictures, each with its caption in a text file beside it.
 * Names are those of the folders; `a/b` is one inside another.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { NoodleError } from '../../errors.ts';
import type { Folders } from '../../store/folders.ts';
import { canBeNamed, isFile, nameParts } from '../../store/paths.ts';
import { writeFileAtomic } from '../../store/write.ts';

export interface DatasetSummary {
  readonly name: string;
  readonly pictures: number;
  /** Pictures that have a caption. */
  readonly captions: number;
  /** One of its pictures, to show it by. */
  readonly first: string | undefined;
}

export interface DatasetItem {
  readonly filename: string;
  /** Null where no text file lies beside it. */
  readonly caption: string | null;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Datasets {
  /** By name. */
  list(): DatasetSummary[];
  /** Makes an empty one; throws FILE_EXISTS, or BAD_INPUT for a name that none can have. */
  create(name: string): DatasetSummary;
  summary(name: string): DatasetSummary;
  /** Names of its pictures; throws FILE_NOT_FOUND. */
  pictures(name: string): string[];
  item(name: string, filename: string): DatasetItem;
  /** Throws FILE_NOT_FOUND where the picture is none of the data set. */
  writeCaption(name: string, filename: string, caption: string): void;
  /** Changes the captions that `change` makes others of; answers how many that were. */
  changeCaptions(name: string, change: (caption: string) => string): number;
  /** Deletes a picture and its caption; throws FILE_NOT_FOUND. */
  remove(name: string, filename: string): void;
}

const PICTURE = /\.(?:png|jpe?g|webp)$/i;

/** Folders that trainers keep their own things in, and hidden ones. */
const NOT_LISTED = /(?:^|\/)[_.]/;

/** Bytes of a text file that is read as a caption. */
const LONGEST_CAPTION = 1_000_000;

type DatasetFolders = Pick<Folders, 'resolve' | 'inputFolders'>;

/** The data sets below an input folder. */
export function datasetsIn(folders: DatasetFolders): Datasets {
  const place = (name: string): string => {
    if (nameParts(name).length === 0 || NOT_LISTED.test(name)) {
      const expected = 'a folder below the input folder, without _ or . before its name';
      throw new NoodleError('BAD_INPUT', { subject: 'data set', expected, got: name });
    }
    return folders.resolve('input', name);
  };
  const folder = (name: string): string => {
    const path = place(name);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'data set', name });
  };
  const names = (name: string): string[] => readdirSync(folder(name)).filter(canBeNamed);
  const pictures = (name: string): string[] =>
    names(name)
      .filter((each) => isPicture(each))
      .sort(inNumbers.compare);
  const picture = (name: string, filename: string): string => {
    const path = folders.resolve('input', `${name}/${filename}`);
    const isThere = nameParts(filename).length === 1 && isPicture(filename) && isFile(path);
    if (folder(name) !== '' && isThere) return path;
    throw new NoodleError('FILE_NOT_FOUND', { kind: `picture in '${name}'`, name: filename });
  };
  const captionFile = (name: string, filename: string): string =>
    folders.resolve('input', `${name}/${captionName(filename)}`);
  const summary = (name: string): DatasetSummary => {
    const there = names(name);
    const shown = there.filter((each) => isPicture(each)).sort(inNumbers.compare);
    const all = new Set(there);
    const captions = shown.filter((each) => all.has(captionName(each))).length;
    return { name, pictures: shown.length, captions, first: shown[0] };
  };
  const item = (name: string, filename: string): DatasetItem => {
    const { size, mtimeMs } = statSync(picture(name, filename));
    const caption = readCaption(captionFile(name, filename));
    return { filename, caption, bytes: size, modified: Math.round(mtimeMs) };
  };
  return {
    list: () =>
      (folders.inputFolders?.() ?? []).filter((name) => !NOT_LISTED.test(name)).map(summary),
    create: (name) => {
      const path = place(name);
      if (statSync(path, { throwIfNoEntry: false }) !== undefined) {
        throw new NoodleError('FILE_EXISTS', { name });
      }
      mkdirSync(path, { recursive: true });
      return summary(name);
    },
    summary,
    pictures,
    item,
    writeCaption: (name, filename, caption) => {
      picture(name, filename);
      writeFileAtomic(captionFile(name, filename), caption);
    },
    changeCaptions: (name, change) => {
      let changed = 0;
      // Pictures that share a text file have one caption.
      for (const file of new Set(pictures(name).map((each) => captionFile(name, each)))) {
        const before = readCaption(file) ?? '';
        const after = change(before);
        if (after === before) continue;
        writeFileAtomic(file, after);
        changed++;
      }
      return changed;
    },
    remove: (name, filename) => {
      rmSync(picture(name, filename));
      const isShared = pictures(name).some((each) => captionName(each) === captionName(filename));
      if (!isShared) rmSync(captionFile(name, filename), { force: true });
    },
  };
}

const isPicture = (name: string): boolean => PICTURE.test(name) && !name.startsWith('.');

/** `a.b.png` -> `a.b.txt` */
const captionName = (filename: string): string => filename.replace(PICTURE, '.txt');

/** Names with numbers in them as people count. */
const inNumbers = new Intl.Collator('en', { numeric: true });

function readCaption(path: string): string | null {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return null;
  if (size > LONGEST_CAPTION) return '';
  return readFileSync(path, 'utf8').replace(/^\ufeff/, '');
}

/** A change of many captions, in this order. */
export interface CaptionChange {
  /** Each place that holds these words … */
  readonly find?: string;
  /** … holds these from now on. */
  readonly replace?: string;
  /** Stands before all that do not begin with it, with a comma behind it. */
  readonly prepend?: string;
  /** Stands behind all that do not end with it, with a comma before it. */
  readonly append?: string;
}

/** What a caption becomes. */
export function changedCaption(caption: string, change: CaptionChange): string {
  const { find = '', replace = '', prepend = '', append = '' } = change;
  let text = find === '' ? caption : caption.replaceAll(find, () => replace);
  const isBare = text.trim() === '';
  if (prepend !== '' && !text.trimStart().startsWith(prepend)) {
    text = isBare ? prepend : `${prepend}, ${text}`;
  }
  if (append !== '' && !text.trimEnd().endsWith(append)) {
    text = text.trim() === '' ? append : `${text.trimEnd()}, ${append}`;
  }
  return text;
}
