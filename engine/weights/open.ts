/** Opening a file of weights, whatever its format. */
import { bitsandbytesSource } from './bitsandbytes.ts';
import { openGguf } from './gguf.ts';
import { openSafetensors } from './safetensors.ts';
import { scaledSource } from './scaled.ts';
import type { WeightSource } from './source.ts';
import { refuseSvdQuant } from './svdquant.ts';
import { openTorchSource } from './torch-file.ts';

/**
 * A file as a weight source: safetensors by that ending (`.safetensors`, `.sft`), GGUF by its own, else
 * what torch.save wrote (`.ckpt`, `.pt`, `.pth`, `.bin` …). Reads no tensors but those
 * that describe others. Throws what the readers throw.
 */
export async function openSource(path: string): Promise<WeightSource> {
  if (isSafetensors(path)) {
    // what describes weights in four bits is gone before the rest is looked through
    return scaledSource(await bitsandbytesSource(refuseSvdQuant(await openSafetensors(path))));
  }
  return /\.gguf$/i.test(path) ? openGguf(path) : openTorchSource(path);
}

/** Whether a file's name says that it is a safetensors file. */
export const isSafetensors = (path: string): boolean => /\.(?:safetensors|sft)$/i.test(path);
