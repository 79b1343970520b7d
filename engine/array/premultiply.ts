/** RGBA bytes with their colours times alpha and back, rounded as Pillow rounds between RGBA and RGBa. */

/** A copy with the colours times alpha. */
export function premultiply(rgba: Uint8Array | Uint8ClampedArray): Uint8Array {
  const out = new Uint8Array(rgba.length);
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3];
    for (let c = 0; c < 3; c++) {
      const t = rgba[i + c] * alpha + 128;
      out[i + c] = ((t >> 8) + t) >> 8;
    }
    out[i + 3] = alpha;
  }
  return out;
}

/** Divides the colours by alpha in place. */
export function unpremultiply(rgba: Uint8Array | Uint8ClampedArray): void {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3];
    if (alpha === 0 || alpha === 255) continue;
    for (let c = 0; c < 3; c++) {
      rgba[i + c] = Math.min(255, Math.floor((255 * rgba[i + c]) / alpha));
    }
  }
}
