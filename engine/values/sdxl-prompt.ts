/** Different texts for the encoders of one model (CLIPTextEncodeSDXL). */
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import { type Clip, type PromptRun, encodePromptTokens, requireClip, tokenizeFor } from './clip.ts';

/**
 * Encodes one text per encoder name. The encoder with fewer chunks gets empty ones behind its own,
 * so that no part of the longer text is cut off.
 */
export async function encodeSdxlPrompt(
  clip: Clip | null,
  texts: Readonly<Record<string, string>>,
  run: PromptRun,
): Promise<ConditioningEntry> {
  const present = requireClip(clip);
  const own = present.encoders.map((encoder) => {
    const { name } = encoder.spec;
    return { encoder, name, batches: tokenizeFor(encoder, texts[name] ?? '', run) ?? [] };
  });
  const chunks = Math.max(...own.map(({ batches }) => batches.length));
  const padded = own.map(({ encoder, name, batches }) => {
    const missing = chunks - batches.length;
    const empty = missing > 0 ? (tokenizeFor(encoder, '', run) ?? []) : [];
    return [name, [...batches, ...Array.from({ length: missing }, () => empty).flat()]] as const;
  });
  return encodePromptTokens(present, Object.fromEntries(padded), run);
}
