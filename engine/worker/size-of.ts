/** How many bytes a value on a wire holds, for caches that live by memory. */

/** Values nest a few levels (lists of conditioning entries, latents); models are deeper and shared. */
const MAX_DEPTH = 8;

/** Bytes of all arrays and texts reachable from `value`; what is shared within it counts once. */
export function sizeOf(value: unknown): number {
  const seen = new Set<object>();
  const visit = (part: unknown, depth: number): number => {
    if (typeof part === 'string') return part.length * 2;
    if (typeof part !== 'object' || part === null) return 8;
    if (seen.has(part) || depth > MAX_DEPTH) return 0;
    seen.add(part);
    if (ArrayBuffer.isView(part)) return part.byteLength;
    const children = part instanceof Map ? part.values() : Object.values(part);
    let bytes = 16;
    for (const child of children) bytes += visit(child, depth + 1);
    return bytes;
  };
  return visit(value, 0);
}
