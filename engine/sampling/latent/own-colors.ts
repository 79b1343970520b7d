/** Preview colours that a checkpoint brings along, for an autoencoder unlike its family's. */
import type { LatentFormat } from './formats.ts';

type Color = readonly [number, number, number];

/** Keys of a checkpoint's metadata; named and laid out as ComfyUI's latent formats have them. */
export const colorKeys = {
  factors: 'latent_rgb_factors',
  bias: 'latent_rgb_factors_bias',
} as const;

/** Longer than any list of colours; nothing larger is parsed. */
const maxLength = 20_000;

/**
 * The format with the colours of a file's metadata: `latent_rgb_factors`, a JSON list of [r, g, b]
 * for each latent channel in network units, and `latent_rgb_factors_bias`, one [r, g, b] (absent: 0).
 * Colours are for previews only, so ones that do not fit the format are passed over.
 */
export function withOwnColors(
  format: LatentFormat,
  metadata: Readonly<Record<string, string>> = {},
): LatentFormat {
  const factors = parse(metadata[colorKeys.factors]);
  const bias = parse(metadata[colorKeys.bias]) ?? [0, 0, 0];
  if (!Array.isArray(factors) || factors.length !== format.channels) return format;
  if (!factors.every(isColor) || !isColor(bias)) return format;
  return { ...format, rgbFactors: factors, rgbBias: bias };
}

const isColor = (value: unknown): value is Color =>
  Array.isArray(value) &&
  value.length === 3 &&
  value.every((part) => typeof part === 'number' && Number.isFinite(part));

function parse(text: string | undefined): unknown {
  if (text === undefined || text.length > maxLength) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
