/** Reading files ahead: what will be mapped lies in the system's memory of files by then. */
import { closeSync, openSync, read } from 'node:fs';

/** Bytes of a file. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/** As much as is asked for at once: large enough for disks, and little to wait for. */
const pieceBytes = 4 << 20;
/** Ranges that lie no further apart are read as one. */
const smallGap = 64 << 10;

/** Where all that is read goes, by several threads at once: nobody looks at it. */
let scratch: Uint8Array | undefined;

/**
 * Begins to read ranges of files, in order of their places. Every piece is asked for at once, so that libuv's
 * threads go on with it while a native run holds this one. A file that cannot be read says so to who maps it.
 */
export function readAhead(ranges: readonly FileRange[]): void {
  for (const path of new Set(ranges.map((range) => range.path))) {
    const pieces = piecesOf(ranges.filter((range) => range.path === path));
    if (pieces.length > 0) readPieces(path, pieces);
  }
}

interface Piece {
  readonly offset: number;
  readonly bytes: number;
}

/** The ranges of one file, neighbours as one, in pieces. */
export function piecesOf(ranges: readonly Piece[]): Piece[] {
  const whole: { offset: number; end: number }[] = [];
  for (const { offset, bytes } of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = whole.at(-1);
    if (last && offset <= last.end + smallGap) last.end = Math.max(last.end, offset + bytes);
    else if (bytes > 0) whole.push({ offset, end: offset + bytes });
  }
  return whole.flatMap(({ offset, end }) =>
    Array.from({ length: Math.ceil((end - offset) / pieceBytes) }, (_, i) => {
      const from = offset + i * pieceBytes;
      return { offset: from, bytes: Math.min(pieceBytes, end - from) };
    }),
  );
}

function readPieces(path: string, pieces: readonly Piece[]): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return;
  }
  scratch ??= new Uint8Array(pieceBytes);
  let waiting = pieces.length;
  const done = (): void => {
    if (--waiting === 0) closeSync(file);
  };
  for (const { offset, bytes } of pieces) read(file, scratch, 0, bytes, offset, done);
}
