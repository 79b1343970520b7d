/** Writing bytes at a place of an open file, all of them. */
import { writeSync } from 'node:fs';

/** The system takes no more at once than 2 GiB. */
const most = 1 << 30;

export function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - done, most);
    done += writeSync(file, bytes, done, length, position + done);
  }
}
