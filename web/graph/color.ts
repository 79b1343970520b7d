/** Colours as `#rrggbb` and what can be computed from them. */

type Rgb = readonly [number, number, number];

/** Red, green and blue (0..255) of `#rgb` or `#rrggbb`; null for anything else. */
export function rgbOf(color: string): Rgb | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(color);
  const hex =
    short === null ? color : `#${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}`;
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(hex);
  return found === null
    ? null
    : [parseInt(found[1], 16), parseInt(found[2], 16), parseInt(found[3], 16)];
}

const hexOf = (rgb: Rgb): string =>
  `#${rgb
    .map((c) =>
      Math.round(Math.min(255, Math.max(0, c)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;

/** `part` (0..1) of `over` laid on `ground`; the ground where one of them is no colour in digits. */
export function mix(ground: string, over: string, part: number): string {
  const a = rgbOf(ground);
  const b = rgbOf(over);
  if (a === null || b === null) return ground;
  const at = (i: number): number => a[i] + (b[i] - a[i]) * part;
  return hexOf([at(0), at(1), at(2)]);
}

/** The colour's hue at half lightness, so that it can tint any ground; greys stay as they are. */
export function vivid(color: string): string {
  const rgb = rgbOf(color);
  if (rgb === null) return color;
  const [high, low] = [Math.max(...rgb), Math.min(...rgb)];
  const lightness = (high + low) / 2 / 255;
  const range = 1 - Math.abs(2 * lightness - 1);
  const saturation = range === 0 ? 0 : (high - low) / 255 / range;
  if (saturation < 0.05) return color;
  // Every colour stretched so that its strongest part is full strength and its weakest none of it.
  const strength = Math.min(1, saturation * 1.6);
  const at = (c: number): number => {
    const pure = (c - low) / (high - low);
    return 255 * (0.5 + (pure - 0.5) * strength);
  };
  return hexOf([at(rgb[0]), at(rgb[1]), at(rgb[2])]);
}

/** Relative luminance, 0 (black) to 1 (white), as WCAG 2 defines it. */
function luminance([r, g, b]: Rgb): number {
  const linear = (c: number): number =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** Contrast of two colours, 1 to 21, as WCAG 2 defines it; 1 where one is no colour in digits. */
export function contrast(a: string, b: string): number {
  const [x, y] = [rgbOf(a), rgbOf(b)];
  if (x === null || y === null) return 1;
  const [light, dark] = [luminance(x), luminance(y)].sort((p, q) => q - p);
  return (light + 0.05) / (dark + 0.05);
}

/** A ground moved towards `safe` until text of that colour can be read on it. */
export function readableGround(ground: string, text: string, safe: string, least = 4.5): string {
  for (let part = 0; part < 1; part += 0.1) {
    const tried = mix(ground, safe, part);
    if (contrast(tried, text) >= least) return tried;
  }
  return safe;
}

/** A colour moved towards `text` until it stands out from the ground by `least`. */
export function standOut(color: string, ground: string, text: string, least: number): string {
  for (let part = 0; part < 1; part += 0.1) {
    const tried = mix(color, text, part);
    if (contrast(tried, ground) >= least) return tried;
  }
  return text;
}
