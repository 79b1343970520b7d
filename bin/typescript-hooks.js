/**
 * Hooks for Node's loader: the project's .ts files are read without their types. Where a start asks for hundreds of
 * files, this is a third of what a loader for any TypeScript costs: paths are taken as they are written, and
 * the work is done once for each version of a file. What was made of it lies in `.cache` and names the text
 * it was made from; without that folder, or with another text, it is made again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../', import.meta.url).href;
const CACHE = fileURLToPath(new URL('.cache/typescript/', ROOT));
/** What is made of a text is this file's doing too. */
const HOOKS = readFileSync(new URL(import.meta.url));

const isOurs = (url) =>
  url.startsWith(ROOT) && url.endsWith('.ts') && !url.includes('/node_modules/', ROOT.length - 1);

/** Our own files are where they are said to be; whoever reads one that is not there hears of it then. */
export function resolve(name, context, next) {
  if (name.endsWith('.ts') && /^(\.\.?\/|file:)/.test(name)) {
    const { href: url } = new URL(name, context.parentURL);
    if (isOurs(url)) return { url, format: 'module', shortCircuit: true };
  }
  return next(name, context);
}

/** The text of a file without its types. */
export function load(url, context, next) {
  if (!isOurs(url)) return next(url, context);
  const text = readFileSync(new URL(url), 'utf8');
  const file = `${CACHE}${decodeURIComponent(url.slice(ROOT.length))}.js`;
  const mark = `\n// made of ${createHash('sha1').update(HOOKS).update(text).digest('hex')}`;
  return {
    format: 'module',
    shortCircuit: true,
    source: kept(file, mark) ?? make(text, file, mark),
  };
}

/** What was made of a text, if it was the text of this mark. */
function kept(file, mark) {
  try {
    const script = readFileSync(file, 'utf8');
    return script.endsWith(mark) ? script : undefined;
  } catch {
    return undefined;
  }
}

/** The script of a TypeScript text; it is kept where that is possible. */
function make(text, file, mark) {
  const { transformSync } = esbuild();
  const { code } = transformSync(text, {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    // Beside its script, wherever the checkout is moved.
    sourcefile: basename(file, '.js'),
    sourcemap: 'inline',
    sourcesContent: false,
  });
  const script = code.trimEnd() + mark;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, script);
    renameSync(unfinished, file);
  } catch {
    // A folder that only others may write to: it is made at every start.
  }
  return script;
}

let loaded;

/** The one that tsx brings along, and uses for packs. */
function esbuild() {
  loaded ??= createRequire(createRequire(import.meta.url).resolve('tsx'))('esbuild');
  return loaded;
}
