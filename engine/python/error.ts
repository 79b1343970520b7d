/** Errors as Python clients know them: a builtin exception name beside the message. */
import { constants } from 'node:buffer';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NoodleError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

/** An error that appears on the wire as a Python exception of the given type. */
export class PythonError extends Error {
  readonly pythonType: string;

  constructor(pythonType: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = pythonType;
    this.pythonType = pythonType;
  }
}

const BY_CODE: Partial<Record<ErrorCode, string>> = {
  BAD_INPUT: 'ValueError',
  FILE_NOT_FOUND: 'FileNotFoundError',
  PATH_OUTSIDE: 'PermissionError',
  OUT_OF_MEMORY: 'torch.OutOfMemoryError',
};

const BY_NAME: Readonly<Record<string, string>> = {
  TypeError: 'TypeError',
  RangeError: 'ValueError',
  SyntaxError: 'ValueError',
  AssertionError: 'AssertionError',
};

/**
 * The `exception_type` of anything thrown: its own `pythonType`, else the nearest builtin
 * (TypeError, ValueError, …), else RuntimeError.
 */
export function pythonTypeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'pythonType' in error) {
    return String(error.pythonType);
  }
  if (isOutOfMemory(error)) return 'torch.OutOfMemoryError';
  if (isTextTooLong(error)) return 'MemoryError';
  if (error instanceof NoodleError) return BY_CODE[error.code] ?? 'RuntimeError';
  return (error instanceof Error ? BY_NAME[error.name] : undefined) ?? 'RuntimeError';
}

/** Whether memory ran out: our own code, or V8 refusing an array of that size. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof NoodleError) return error.code === 'OUT_OF_MEMORY';
  return error instanceof RangeError && /allocation failed/i.test(error.message);
}

/** Whether a text was to be made that is longer than V8's can be; Python's have no limit but memory. */
const isTextTooLong = (error: unknown): boolean =>
  error instanceof Error &&
  /^(Invalid string length$|Cannot create a string longer than)/.test(error.message);

/**
 * Whether an error is an interrupt: our own code, or whatever a node or the platform throws once it was
 * told to stop (an async node may give up in words of its own before the executor hears of it).
 */
export function isInterrupt(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof NoodleError && error.code === 'INTERRUPTED');
}

/** The text of anything thrown. Clients see it: files that it names stand there without their folders. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isTextTooLong(error)) {
    return `a text of more than ${constants.MAX_STRING_LENGTH} characters cannot be made`;
  }
  return filesOf(error).reduce((text, file) => text.replaceAll(file, nameOf(file)), error.message);
}

/** An absolute path that a text begins with, to its end or to a colon. */
const LEADING_PATH = /^(?:\/|[A-Za-z]:[\\/])[^:\n]*[\\/][^:\n]+/;

/** The last part of a path of either kind of system. */
const nameOf = (path: string): string => path.slice(path.search(/[^\\/]*$/));

/** The files that an error names with their folders: what the system spoke of, and details of our own errors. */
function filesOf(error: Error): string[] {
  const { path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const named = error instanceof NoodleError ? Object.values(error.details) : [];
  const leading = named.map((text) => typeof text === 'string' && LEADING_PATH.exec(text)?.[0]);
  return [path, dest, ...leading].filter(
    (file): file is string => typeof file === 'string' && file !== '',
  );
}

/**
 * The frames of an error's stack, one string each ending with a newline, outermost first. Clients see
 * them, so files are named from the project's root, from the folder of packs or packages, or alone.
 */
export function tracebackOf(error: unknown): string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const frames = error.stack.split('\n').filter((line) => /^\s*at /.test(line));
  return frames.reverse().map((line) => `  ${withoutFolders(line.trim())}\n`);
}

const project = fileURLToPath(new URL('../../', import.meta.url));
/** `at f (file:1:2)` or `at file:1:2`, where the file is given with its folders. */
const FRAME = /^(at (?:async )?(?:.*? \()?)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]).*)(:\d+:\d+\)?)$/;

function withoutFolders(frame: string): string {
  return frame.replace(FRAME, (_, before: string, file: string, after: string) => {
    const path = file.replace(/^file:\/\//, '');
    if (path.startsWith(project)) return before + path.slice(project.length) + after;
    const own =
      /^.*[\\/](custom_nodes[\\/].*)$/.exec(path) ?? /^.*[\\/](node_modules[\\/].*)$/.exec(path);
    return before + (own?.[1] ?? basename(path)) + after;
  });
}
