/** Texts in files: WAS, Comfyroll, Easy Use. Files lie in the input folder, or are written into the output folder. */
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, isAbsolute, join, relative } from 'node:path';
import { boolean, combo, image, int, optional, string } from 'noodle/node';
import type { Context, NodeDefinition } from 'noodle/node';
import { inCategory } from './define.ts';
import { withTime } from './time-tokens.ts';

type Folders = Context['services']['folders'];
type Place = 'input' | 'output' | 'temp';

const io = inCategory('WAS Suite/IO');
const TEXT = { type: 'STRING' } as const;
const plain = (value = '') => string({ default: value, multiline: false });

/** Longest file that is read: 64 MiB. */
const LONGEST = 2 ** 26;

/**
 * The folder that a path begins with, and the rest of it: `./ComfyUI/output/a.txt`, `input/a.txt`, or an absolute
 * path into one of the folders. Anything else is in `usual`.
 */
function placed(folders: Folders, path: string, usual: Place): [place: Place, rest: string] {
  const clean = path.trim().replaceAll('\\', '/');
  const places: Place[] = ['input', 'output', 'temp'];
  if (isAbsolute(clean)) {
    const place = places.find((one) => !relative(folders.directory(one), clean).startsWith('..'));
    if (place !== undefined) return [place, relative(folders.directory(place), clean)];
  }
  const inside = clean.replace(/^(\.\/)+/, '').replace(/^ComfyUI\//i, '');
  const named = places.find((one) => inside === one || inside.startsWith(`${one}/`));
  return named === undefined ? [usual, inside] : [named, inside.slice(named.length + 1)];
}

/** A text file of the input folder (or of another that the path names). Throws RangeError when it is not there. */
function readText(folders: Folders, path: string): string {
  const [place, rest] = placed(folders, path, 'input');
  const file = folders.resolve(place, rest);
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new RangeError(`file_path: expected a file of the ${place} folder, found no '${rest}'`);
  }
  const { size } = statSync(file);
  if (size > LONGEST)
    throw new RangeError(`file_path: '${rest}' has ${size} bytes, more than ${LONGEST}`);
  return readFileSync(file, 'utf8');
}

/** Lines without comments and ends. */
const linesIn = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replaceAll('\r', ''))
    .filter((line) => !line.trim().startsWith('#'));

/** What a dictionary of a file's lines is called. */
const dictionaryName = (name: string, path: string): string =>
  name === '[filename]' ? basename(path.replaceAll('\\', '/')).split('.')[0] : name;

const reading: readonly NodeDefinition[] = [
  io({
    name: 'Load Text File',
    inputs: { file_path: plain(), dictionary_name: plain('[filename]') },
    outputs: [TEXT, { type: 'DICT' }],
    isChanged: ({ file_path }, { services }) =>
      typeof file_path === 'string' ? changeOf(services.folders, file_path) : null,
    run({ file_path, dictionary_name }, { services }) {
      const text = readText(services.folders, file_path);
      const lines = linesIn(text.endsWith('\n') ? text.slice(0, -1) : text);
      return [lines.join('\n'), { [dictionaryName(dictionary_name, file_path)]: lines }];
    },
  }),
  inCategory('WAS Suite/Text')({
    name: 'Text Load Line From File',
    inputs: {
      file_path: plain(),
      dictionary_name: plain('[filename]'),
      label: plain('TextBatch'),
      mode: combo(['automatic', 'index'] as const),
      index: int({ default: 0, min: 0, step: 1 }),
      multiline_text: optional(string({ forceInput: true })),
    },
    outputs: [
      { type: 'STRING', name: 'line_text' },
      { type: 'DICT', name: 'dictionary' },
    ],
    isChanged: ({ mode }) => (mode === 'automatic' ? NaN : 0),
    /** `automatic` goes on with the next line at every run of this node. */
    run({ file_path, dictionary_name, label, mode, index, multiline_text }, context) {
      const text =
        multiline_text?.trim() ?? readText(context.services.folders, file_path).trimEnd();
      const lines = text.split('\n').map((line) => line.trim());
      const key = `${label}\n${file_path}`;
      const next = mode === 'index' ? index : Number(context.state.get(key) ?? 0);
      if (mode === 'automatic') context.state.set(key, next + 1);
      return [lines[next % lines.length], { [dictionaryName(dictionary_name, file_path)]: lines }];
    },
  }),
];

/** Changes when the file does. */
function changeOf(folders: Folders, path: string): string | null {
  const [place, rest] = placed(folders, path, 'input');
  const file = folders.resolve(place, rest);
  const found = existsSync(file) ? statSync(file) : undefined;
  return found === undefined ? null : `${found.mtimeMs} ${found.size}`;
}

/** Where texts of this folder and name are written: always in the output folder. */
function targetOf(folders: Folders, folder: string, name: string) {
  const [place, rest] = placed(folders, withTime(folder), 'output');
  if (place === 'input') {
    throw new RangeError(`path: expected a folder of the output folder, got '${folder}'`);
  }
  const prefix = withTime(name);
  return folders.saveTarget(rest === '' || rest === '.' ? prefix : `${rest}/${prefix}`, 'output');
}

/** Writes over a file whole; a link of that name is replaced, not followed. */
function overwrite(path: string, text: string): void {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

/** Writes at the end of a file, which is made if need be; a link is refused. */
function append(path: string, text: string): void {
  const { O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_WRONLY } = constants;
  const file = openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY);
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** An ending that is one: letters and digits behind a point, and none that a browser would run. */
function checkedEnding(ending: string): string {
  if (/^\.(txt|csv|json|md|log|yaml|yml|prompt|caption|tags)$/i.test(ending)) return ending;
  throw new RangeError(`file_extension: expected .txt, .csv, .json, .md …, got '${ending}'`);
}

const spaced = (text: string): string[] => text.split('\n').map((line) => line.trim());

/** Lines as rows of one cell. */
const asCsv = (text: string): string =>
  spaced(text)
    .map((line) => (/[",\r\n]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line))
    .map((line) => `${line}\r\n`)
    .join('');

const writing: readonly NodeDefinition[] = [
  io({
    name: 'Save Text File',
    inputs: {
      text: string({ forceInput: true }),
      path: plain('./ComfyUI/output/[time(%Y-%m-%d)]'),
      filename_prefix: string({ default: 'ComfyUI' }),
      filename_delimiter: string({ default: '_' }),
      filename_number_padding: int({ default: 4, min: 0, max: 9, step: 1 }),
      file_extension: optional(string({ default: '.txt' })),
      encoding: optional(string({ default: 'utf-8' })),
      filename_suffix: optional(string({ default: '' })),
    },
    outputs: [],
    outputNode: true,
    run({ text, path, filename_prefix, filename_delimiter: between, ...how }, { services }) {
      const { folders } = services;
      const { filename_number_padding: padding, filename_suffix: suffix = '' } = how;
      const ending = suffix + checkedEnding(how.file_extension ?? '.txt');
      if (suffix.includes('/'))
        throw new RangeError(`filename_suffix: expected no /, got '${suffix}'`);
      const target = targetOf(folders, path, filename_prefix);
      if (padding === 0) {
        overwrite(join(target.directory, target.filename + ending), text);
        return { ui: { string: [text] } };
      }
      const [start, end] = [escaped(target.filename + between), escaped(ending)];
      const known = new RegExp(`^${start}(\\d{${padding}})${end}$`);
      const numbers = readdirSync(target.directory).map((name) =>
        Number(known.exec(name)?.[1] ?? 0),
      );
      const counter = Math.max(0, ...numbers) + 1;
      const nameOf = (n: number): string =>
        target.filename + between + String(n).padStart(padding, '0');
      folders.writeNumbered({ ...target, counter, nameOf }, ending, text);
      return { ui: { string: [text] } };
    },
  }),
  inCategory('🧩 Comfyroll Studio/🛠️ Utils/🔤 Text')({
    name: 'CR Save Text To File',
    displayName: '🔤 CR Save Text To File',
    inputs: {
      multiline_text: string({ multiline: true, default: '' }),
      output_file_path: plain(),
      file_name: plain(),
      file_extension: combo(['txt', 'csv'] as const),
    },
    outputs: [{ type: 'STRING', name: 'show_help' }],
    outputNode: true,
    /** Never over a file: the next free number is put behind the name. */
    run({ multiline_text, output_file_path, file_name, file_extension }, { services }) {
      if (file_name === '') throw new RangeError('file_name: expected a name, got an empty text');
      const target = targetOf(services.folders, output_file_path, file_name);
      const nameOf = (n: number): string => target.filename + (n === 0 ? '' : `_${n}`);
      const text = file_extension === 'csv' ? asCsv(multiline_text) : multiline_text;
      services.folders.writeNumbered({ ...target, counter: 0, nameOf }, `.${file_extension}`, text);
      return [
        'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki/List-Nodes#cr-save-text-to-file',
      ];
    },
  }),
  inCategory('EasyUse/Logic')({
    name: 'easy saveText',
    displayName: 'Save Text',
    inputs: {
      text: string({ default: '', forceInput: true }),
      output_file_path: plain(),
      file_name: plain(),
      file_extension: combo(['txt', 'csv'] as const),
      overwrite: boolean({ default: true }),
      image: optional(image()),
    },
    outputs: [
      { type: 'STRING', name: 'text' },
      { type: 'IMAGE', name: 'image' },
    ],
    outputNode: true,
    run(
      { text, output_file_path, file_name, file_extension, overwrite: over, image },
      { services },
    ) {
      if (file_name === '') throw new RangeError('file_name: expected a name, got an empty text');
      const { directory, filename } = targetOf(services.folders, output_file_path, file_name);
      const file = join(directory, `${filename}.${file_extension}`);
      (over ? overwrite : append)(file, file_extension === 'csv' ? asCsv(text) : text);
      return [text, image ?? null];
    },
  }),
];

export const textFileNodes: readonly NodeDefinition[] = [...reading, ...writing];
