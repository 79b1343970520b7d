import { t } from '../../locale/translate.ts';
import { directories, type Directory } from './file-folders.ts';
import { closesOutside, placeNear } from './drop-down.ts';

export type MediaKind = 'image' | 'audio' | 'video';

/** Where a field for files finds what there is. */
export interface FileSource {
  /** Values of the field for files of a folder, newest first; `words` narrow them down. */
  readonly list: (kind: MediaKind, from: Directory, words: string) => Promise<readonly string[]>;
  /** Address of a small picture of the file that a value names. */
  readonly thumbnail: (value: string) => string;
}

export interface FileListOptions {
  readonly kind: MediaKind;
  readonly source: FileSource;
  /** The folder that is shown first. */
  readonly directory: Directory;
  /** What the field offers itself: shown when the server lists nothing. */
  readonly choices: readonly (string | number)[];
  readonly current: string | number;
  readonly x: number;
  readonly y: number;
  readonly label: string;
  readonly pick: (value: string) => void;
  readonly upload: () => void;
}

const titles: Readonly<Record<Directory, string>> = {
  input: 'Inputs',
  output: 'Outputs',
  temp: 'Previews',
};

/** Opens a list of files with pictures of them, by folder, with a search and an upload button. */
export function openFileList(options: FileListOptions): void {
  const { kind, source } = options;
  const root = document.createElement('div');
  root.className = 'choice-list file-list';
  root.setAttribute('role', 'dialog');
  root.setAttribute('aria-label', options.label);
  const filter = document.createElement('input');
  filter.type = 'text';
  filter.placeholder = t('Search');
  filter.setAttribute('aria-label', t('Search'));
  filter.spellcheck = false;
  const tabs = document.createElement('div');
  tabs.className = 'file-tabs';
  tabs.setAttribute('role', 'tablist');
  const grid = document.createElement('div');
  grid.className = kind === 'image' ? 'file-grid' : 'choice-items';
  grid.setAttribute('role', 'listbox');
  grid.setAttribute('aria-label', options.label);
  root.append(filter, tabs, grid);

  let directory = options.directory;
  let shown: readonly string[] = [];
  let active = -1;
  let asked = 0;
  const close = closesOutside(root);
  const pick = (value: string): void => {
    close();
    options.pick(value);
  };
  const mark = (index: number): void => {
    if (shown.length === 0) return;
    active = Math.min(shown.length - 1, Math.max(0, index));
    [...grid.children].forEach((child, i) => child.classList.toggle('active', i === active));
    grid.children[active]?.scrollIntoView({ block: 'nearest' });
  };
  const fill = async (): Promise<void> => {
    const mine = ++asked;
    const words = filter.value.trim();
    const listed = await source.list(kind, directory, words).catch(() => []);
    if (mine !== asked) return;
    shown =
      listed.length === 0 && directory === 'input' ? matching(options.choices, words) : listed;
    grid.replaceChildren(...shown.map((value) => fileButton(value, options, pick)));
    if (shown.length === 0) grid.append(emptyNote(words === '' ? t('No files') : t('No match')));
    mark(words === '' ? shown.indexOf(String(options.current)) : 0);
  };
  for (const name of directories) {
    const tab = document.createElement('button');
    tab.type = 'button';
    tab.textContent = t(titles[name]);
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-selected', String(name === directory));
    tab.addEventListener('click', () => {
      directory = name;
      [...tabs.children].forEach((each) =>
        each.setAttribute('aria-selected', String(each === tab)),
      );
      void fill();
    });
    tabs.append(tab);
  }
  const upload = document.createElement('button');
  upload.type = 'button';
  upload.className = 'file-upload';
  upload.textContent = t('Upload');
  upload.addEventListener('click', () => {
    close();
    options.upload();
  });
  root.append(upload);

  filter.addEventListener('input', () => void fill());
  root.addEventListener('keydown', (event) => {
    event.stopPropagation();
    const columns = kind === 'image' ? columnsOf(grid) : 1;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: columns,
      ArrowUp: -columns,
      ...(kind === 'image' && filter.value === '' ? { ArrowRight: 1, ArrowLeft: -1 } : {}),
    };
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && event.target === filter && active in shown) {
      pick(shown[active]);
    } else if (event.key in steps) mark(active + steps[event.key]);
    else return;
    event.preventDefault();
  });
  document.body.append(root);
  placeNear(root, options);
  void fill();
  requestAnimationFrame(() => filter.focus());
}

function fileButton(
  value: string,
  { kind, source, current }: FileListOptions,
  pick: (value: string) => void,
): HTMLElement {
  const item = document.createElement('button');
  item.type = 'button';
  item.title = value;
  item.setAttribute('role', 'option');
  item.setAttribute('aria-selected', String(value === current));
  const name = document.createElement('span');
  name.textContent = value.replace(/ \[\w+\]$/, '');
  if (kind === 'image') {
    const picture = document.createElement('img');
    picture.loading = 'lazy';
    picture.decoding = 'async';
    picture.alt = '';
    picture.src = source.thumbnail(value);
    item.append(picture);
  }
  item.append(name);
  item.addEventListener('click', () => pick(value));
  return item;
}

function emptyNote(text: string): HTMLElement {
  const note = document.createElement('p');
  note.textContent = text;
  return note;
}

const matching = (choices: readonly (string | number)[], words: string): string[] =>
  choices
    .map(String)
    .filter((name) =>
      words.split(/\s+/).every((w) => name.toLowerCase().includes(w.toLowerCase())),
    );

const columnsOf = (grid: HTMLElement): number =>
  getComputedStyle(grid).gridTemplateColumns.split(' ').length;
