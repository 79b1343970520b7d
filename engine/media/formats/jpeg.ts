/** What JPEG files say of themselves (ITU T.81, annex B); the pixels are sharp's. */

/** Whether the bytes start like a JPEG. */
export const isJpeg = (bytes: Uint8Array): boolean =>
  bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

const SCAN = 0xda;

/** Frame headers: SOF0 to SOF15 without the tables that lie among them (DHT, JPG, DAC). */
const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * Whether a file of several scans breaks off inside a table or header between them. The reference's
 * reader then waits for the rest before it gives out a row, and the picture stays as it was made: zero.
 */
export function endsInTable(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let components = 0;
  let severalScans = false;
  let at = 2;
  while (at + 2 <= bytes.length) {
    const marker = bytes[at + 1];
    // Fill bytes, compressed data with its stuffing, and restarts: one byte on.
    if (bytes[at] !== 0xff || marker === 0 || marker === 0xff || isRestart(marker)) {
      at = bytes.indexOf(0xff, at + 1);
      if (at < 0) return false;
      continue;
    }
    if (marker === 0xd9) return false;
    const end = at + 4 <= bytes.length ? at + 2 + view.getUint16(at + 2) : Infinity;
    if (end > bytes.length) return severalScans;
    if (isFrameHeader(marker)) {
      components = bytes[at + 9] ?? 0;
      severalScans ||= (marker & 3) === 2;
    }
    if (marker === SCAN) severalScans ||= bytes[at + 4] < components;
    at = end;
  }
  return false;
}

const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;
