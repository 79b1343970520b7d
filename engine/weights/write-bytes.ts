/** Writing bytes into an open file, all of them. */
import { writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** The system takes no more at once than 2 GiB. */
const most = 1 << 30;

/** At a place, without leaving the thread. */
export function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - done, most);
    done += writeSync(file, bytes, done, length, position + done);
  }
}

/** At a place, or where the last write ended. */
export async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  position?: number,
): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - done, most);
    const place = position === undefined ? null : position + done;
    done += (await handle.write(bytes, done, length, place)).bytesWritten;
  }
}
