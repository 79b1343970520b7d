/** TIFF's two old compressions. Damaged data leaves the rest of the target as it is. */

/** PackBits run lengths. */
export function unpackBits(packed: Uint8Array, out: Uint8Array): void {
  for (let from = 0, to = 0; from < packed.length && to < out.length;) {
    const head = packed[from++];
    if (head < 128) {
      const run = packed.subarray(from, from + Math.min(head + 1, out.length - to));
      out.set(run, to);
      from += head + 1;
      to += head + 1;
    } else if (head > 128) {
      out.fill(packed[from++] ?? 0, to, to + 257 - head);
      to += 257 - head;
    }
  }
}

const CLEAR = 256;
const STOP = 257;

/** LZW with the most significant bit first and the early change of code width. */
export function unpackTiffLzw(packed: Uint8Array, out: Uint8Array): void {
  const prefix = new Uint16Array(4097);
  const suffix = new Uint8Array(4097);
  const length = new Uint16Array(4097);
  for (let i = 0; i < 256; i++) {
    suffix[i] = i;
    length[i] = 1;
  }
  let [bits, next, previous, buffer, held, to] = [9, 258, -1, 0, 0, 0];
  for (let from = 0; to < out.length;) {
    while (held < bits && from < packed.length) {
      buffer = ((buffer << 8) | packed[from++]) & 0xffffff;
      held += 8;
    }
    if (held < bits) return;
    const code = (buffer >> (held - bits)) & ((1 << bits) - 1);
    held -= bits;
    if (code === STOP) return;
    if (code === CLEAR) {
      [bits, next, previous] = [9, 258, -1];
      continue;
    }
    if (code > next || (code === next && previous < 0) || (previous < 0 && code > 255)) return;
    if (previous >= 0 && next <= 4096) {
      // The new entry: the previous string and the first byte of this one.
      let first = code === next ? previous : code;
      while (first > 255) first = prefix[first];
      prefix[next] = previous;
      suffix[next] = first;
      length[next] = length[previous] + 1;
    }
    let at = to + length[code] - 1;
    for (let walk = code; at >= to; at--) {
      if (at < out.length) out[at] = suffix[walk];
      walk = prefix[walk];
    }
    to += length[code];
    if (previous >= 0 && next <= 4096) next++;
    if (next >= (1 << bits) - 1 && bits < 12) bits++;
    previous = code;
  }
}
