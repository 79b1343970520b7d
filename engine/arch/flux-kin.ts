/**
 * Ovis-Image and LongCat-Image: Flux without pooled text, with words in their order on the axes of rows and columns.
 * Ovis-Image norms the text and gates its feed-forward layers; LongCat-Image's words end where the picture begins.
 *
 * Papers: Ovis Team 2025, "Ovis-Image"; Meituan LongCat Team 2025, "LongCat-Image". Keys are those of ComfyUI's files,
 * which are mostly Flux's. In and out as Flux.
 */
import type { Weights } from '../tensor/cursor.ts';
import { type FluxConfig, detectTransformer } from './flux.ts';

const wordAxes = [1, 2];

/** The sizes of an Ovis-Image under `w`, or undefined. */
export function detectOvisImage(w: Weights): FluxConfig | undefined {
  const isGated = w.has('double_blocks.0.img_mlp.gate_proj');
  const sizes = isGated && w.has('txt_norm') ? detectTransformer(w) : undefined;
  return sizes && { ...sizes, wordAxes, gateLast: true };
}

/** The sizes of a LongCat-Image under `w`, or undefined. */
export function detectLongCatImage(w: Weights): FluxConfig | undefined {
  const others = ['vector_in', 'guidance_in', 'txt_norm', 'double_stream_modulation_img'];
  if (others.some((name) => w.has(name)) || !w.has('double_blocks.0.img_mod')) return undefined;
  const sizes = detectTransformer(w);
  return sizes && { ...sizes, wordAxes, wordsBefore: true };
}
