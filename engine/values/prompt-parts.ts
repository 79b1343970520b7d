/** Different texts for the encoders of one model (CLIPTextEncodeSDXL, CLIPTextEncodeSD3, CLIPTextEncodeFlux …). */
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { TokenBatch } from '../text/token-batches.ts';
import { type Clip, type PromptRun, encodePromptTokens, requireClip, tokenizeFor } from './clip.ts';

export interface PartsOptions {
  /** Encoders that get as many chunks as each other; whoever has fewer gets empty ones behind its own. */
  readonly alike?: readonly string[];
  /** An empty text is no prompt at all, rather than an empty one. */
  readonly emptyIsNone?: boolean;
}

/** Encodes a text for each encoder by its name; an encoder that none is given for has the first one. */
export async function encodeParts(
  clip: Clip | null,
  texts: Readonly<Record<string, string>>,
  run: PromptRun,
  { alike = [], emptyIsNone = false }: PartsOptions = {},
): Promise<ConditioningEntry> {
  const present = requireClip(clip);
  const [first = ''] = Object.values(texts);
  const cut = (name: string, text: string): readonly TokenBatch[] | undefined => {
    const encoder = present.encoders.find(({ spec }) => spec.name === name)!;
    return tokenizeFor(encoder, text, run, present.tokenizing?.[name]);
  };
  const own = present.encoders.map(({ spec: { name } }) => {
    const text = texts[name] ?? first;
    return { name, batches: emptyIsNone && text === '' ? [] : cut(name, text) };
  });
  const counts = own.flatMap(({ name, batches }) => (alike.includes(name) ? batches?.length : []));
  const chunks = Math.max(0, ...counts.map((count) => count ?? 0));
  const tokens = own.map(({ name, batches }) => {
    if (!batches || !alike.includes(name)) return [name, batches] as const;
    if (chunks === 0) return [name, undefined] as const;
    const missing = chunks - batches.length;
    const empty = missing > 0 ? (cut(name, '') ?? []) : [];
    return [name, [...batches, ...Array.from({ length: missing }, () => empty).flat()]] as const;
  });
  return encodePromptTokens(present, Object.fromEntries(tokens), run);
}
