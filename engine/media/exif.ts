/** The one EXIF tag that changes pixels: orientation. */

/**
 * Orientation 1..8 of a TIFF-structured EXIF block (with or without the `Exif\0\0` prefix);
 * 1 when it has none or is broken.
 */
export function exifOrientation(exif: Uint8Array | undefined): number {
  if (!exif) return 1;
  const prefix = Buffer.from(exif.subarray(0, 6)).toString('latin1') === 'Exif\0\0' ? 6 : 0;
  const tiff = exif.subarray(prefix);
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 14) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  const start = view.getUint32(4, little);
  if (start + 2 > tiff.length) return 1;
  const count = view.getUint16(start, little);
  for (let i = 0; i < count; i++) {
    const at = start + 2 + i * 12;
    if (at + 12 > tiff.length) break;
    if (view.getUint16(at, little) !== 0x0112) continue;
    const isLong = view.getUint16(at + 2, little) === 4;
    const value = isLong ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Orientation written in XMP, which counts where EXIF has none. */
export function xmpOrientation(xmp: string): number {
  const found = /tiff:Orientation(?:="|>)([1-8])/.exec(xmp);
  return found ? Number(found[1]) : 1;
}
