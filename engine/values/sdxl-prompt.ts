/** Different texts for the encoders of one model (CLIPTextEncodeSDXL). */
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { TokenBatch } from '../text/token-batches.ts';
import { type Clip, encodePromptTokens, requireClip, tokenizePrompt } from './clip.ts';
import type { Services } from './services.ts';

/**
 * Encodes one text per encoder name. The encoder with fewer chunks gets empty ones behind its own,
 * so that no part of the longer text is cut off.
 */
export async function encodeSdxlPrompt(
  clip: Clip | null,
  texts: Readonly<Record<string, string>>,
  services: Pick<Services, 'runtime' | 'folders'>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ConditioningEntry> {
  const present = requireClip(clip);
  const tokensOf = (text: string, name: string) => tokenizePrompt(present, text, services)[name];
  const names = present.encoders.map(({ spec }) => spec.name);
  const own = names.map((name) => tokensOf(texts[name] ?? '', name));
  const chunks = Math.max(...own.map((batches) => batches.length));
  const padded = own.map((batches, i) => {
    const empty = tokensOf('', names[i]);
    const missing = Array.from<TokenBatch[]>({ length: chunks - batches.length }).flatMap(
      () => empty,
    );
    return [names[i], [...batches, ...missing]] as const;
  });
  return encodePromptTokens(present, Object.fromEntries(padded), services, options);
}
