/** GIF's sub-blocks and LZW. */

/** Joins the sub-blocks that begin at `at`; `end` is the first byte after them. */
export function readBlocks(bytes: Uint8Array, at: number): { data: Uint8Array; end: number } {
  const parts: Uint8Array[] = [];
  while (at < bytes.length && bytes[at] !== 0) {
    parts.push(bytes.subarray(at + 1, at + 1 + bytes[at]));
    at += 1 + bytes[at];
  }
  return { data: Buffer.concat(parts), end: at + 1 };
}

const MAX_CODES = 4096;

/**
 * LZW codes to palette indices of a width x height box; interlaced rows are put in order. Data that
 * ends early or makes no sense leaves the rest at `fill`.
 */
export function unpackLzw(
  data: Uint8Array,
  minimumBits: number,
  box: { width: number; height: number; interlaced: boolean; fill: number },
): Uint8Array {
  const count = box.width * box.height;
  const out = new Uint8Array(count).fill(box.fill);
  if (!(minimumBits >= 1 && minimumBits <= 11)) return out;
  const [clear, stop] = [1 << minimumBits, (1 << minimumBits) + 1];
  const prefix = new Uint16Array(MAX_CODES);
  const suffix = new Uint8Array(MAX_CODES);
  const stack = new Uint8Array(MAX_CODES + 1);
  for (let i = 0; i < clear; i++) suffix[i] = i;
  let [bits, next, previous, first] = [minimumBits + 1, clear + 2, -1, 0];
  let [buffer, held, at, done] = [0, 0, 0, 0];
  while (done < count) {
    while (held < bits && at < data.length) {
      buffer |= data[at++] << held;
      held += 8;
    }
    if (held < bits) break;
    const code = buffer & ((1 << bits) - 1);
    buffer >>>= bits;
    held -= bits;
    if (code === stop) break;
    if (code === clear) {
      [bits, next, previous] = [minimumBits + 1, clear + 2, -1];
      continue;
    }
    if (code > next || (code === next && previous < 0)) break;
    let depth = 0;
    let walk = code;
    if (code === next) {
      stack[depth++] = first;
      walk = previous;
    }
    while (walk >= clear) {
      stack[depth++] = suffix[walk];
      walk = prefix[walk];
    }
    first = suffix[walk];
    stack[depth++] = first;
    while (depth > 0 && done < count) out[done++] = stack[--depth];
    if (previous >= 0 && next < MAX_CODES) {
      prefix[next] = previous;
      suffix[next] = first;
      next++;
      if (next === 1 << bits && bits < 12) bits++;
    }
    previous = code;
  }
  return box.interlaced ? deinterlace(out, box.width, box.height) : out;
}

function deinterlace(rows: Uint8Array, width: number, height: number): Uint8Array {
  const out = new Uint8Array(rows.length);
  let from = 0;
  for (const [start, step] of [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ]) {
    for (let y = start; y < height; y += step, from += width) {
      out.set(rows.subarray(from, from + width), y * width);
    }
  }
  return out;
}
