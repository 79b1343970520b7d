/** Where the entries of a zip file lie, for those that are stored as they are (torch, numpy). */

/** A directory has no need to be larger; a bigger one is hostile. */
const MAX_DIRECTORY = 16 << 20;

export interface ZipEntry {
  readonly size: number;
  /** Absolute position of the content; read on demand from the entry's own header. */
  offset(): number;
}

/**
 * The entries of a zip file that are stored without compression, by name. `read` gives bytes of the file
 * (and fails beyond its end), `size` is its length; `fail` throws with the reason it is given.
 */
export function zipEntries(
  read: (offset: number, length: number) => Buffer,
  size: number,
  fail: (reason: string) => never,
): Map<string, ZipEntry> {
  const tailStart = Math.max(0, size - 65557);
  const tail = read(tailStart, size - tailStart);
  const end = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0 || end + 22 > tail.length) return fail('it is cut short, or no zip file');
  let count = tail.readUInt16LE(end + 10);
  let length = tail.readUInt32LE(end + 12);
  let start = tail.readUInt32LE(end + 16);
  // zip64: the 32-bit fields are all ones and a second record, found through a locator, has the rest.
  if (end >= 20 && tail.readUInt32LE(end - 20) === 0x07064b50) {
    const record = read(Number(tail.readBigUInt64LE(end - 12)), 56);
    if (record.readUInt32LE(0) !== 0x06064b50) fail('a broken zip64 record');
    count = Number(record.readBigUInt64LE(32));
    length = Number(record.readBigUInt64LE(40));
    start = Number(record.readBigUInt64LE(48));
  }
  if (length > MAX_DIRECTORY) fail('its directory is too large');
  const directory = read(start, length);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== 0x02014b50) fail('a broken directory');
    const method = directory.readUInt16LE(at + 10);
    const nameLength = directory.readUInt16LE(at + 28);
    const extraLength = directory.readUInt16LE(at + 30);
    const next = at + 46 + nameLength + extraLength + directory.readUInt16LE(at + 32);
    if (next > length) fail('a broken directory');
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const sizes = wideSizes(directory.subarray(at, at + 46 + nameLength + extraLength), nameLength);
    const { size: content, header } = sizes;
    if (method === 0) {
      entries.set(name, {
        size: content,
        offset: () => {
          const local = read(header, 30);
          if (local.readUInt32LE(0) !== 0x04034b50) fail('a broken entry');
          const offset = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
          return offset + content <= size ? offset : fail('it is cut short');
        },
      });
    }
    at = next;
  }
  return entries;
}

/** Size and header position of a directory entry, from its zip64 field where they need 64 bits. */
function wideSizes(entry: Buffer, nameLength: number): { size: number; header: number } {
  let size = entry.readUInt32LE(24);
  let header = entry.readUInt32LE(42);
  const compressed = entry.readUInt32LE(20);
  for (let at = 46 + nameLength; at + 4 <= entry.length;) {
    const id = entry.readUInt16LE(at);
    const end = Math.min(at + 4 + entry.readUInt16LE(at + 2), entry.length);
    if (id === 1) {
      let field = at + 4;
      const next = (): number => {
        field += 8;
        return field <= end ? Number(entry.readBigUInt64LE(field - 8)) : -1;
      };
      if (size === 0xffffffff) size = next();
      if (compressed === 0xffffffff) next();
      if (header === 0xffffffff) header = next();
    }
    at = end;
  }
  return { size, header };
}
