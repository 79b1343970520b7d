/** CLIP: the text encoders of a model, as they travel between nodes; immutable. */
import { concat, sliceAxis } from '../array/batch.ts';
import type { TextSetup } from '../arch/family.ts';
import { NoodleError } from '../errors.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import { CLIP_END, CLIP_START, clipTokenizer } from '../text/clip-bpe.ts';
import { embeddingLookup } from '../text/embeddings.ts';
import { type TokenBatch, tokenize } from '../text/token-batches.ts';
import type { Services } from './services.ts';
import { type SpecialTokens, type TextEncoder, encodeTokens } from './text-encoder.ts';

export interface Clip {
  readonly setup: TextSetup;
  /** As `setup.encoders`. */
  readonly encoders: readonly TextEncoder[];
  /** CLIPSetLastLayer; undefined leaves every encoder its own layer. */
  readonly clipSkip?: number;
}

/** Weighted tokens per encoder, by the encoder's name. */
export type PromptTokens = Readonly<Record<string, readonly TokenBatch[]>>;

type TextServices = Pick<Services, 'runtime' | 'folders' | 'log'>;

/** Encodes a prompt with all of the model's encoders. */
export async function encodePrompt(
  clip: Clip | null,
  text: string,
  services: TextServices,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ConditioningEntry> {
  const present = requireClip(clip);
  return encodePromptTokens(present, tokenizePrompt(present, text, services), services, options);
}

/** Cuts a prompt into tokens for every encoder; embeddings come from the embeddings folder. */
export function tokenizePrompt(
  { encoders }: Clip,
  text: string,
  { folders, log }: Pick<TextServices, 'folders' | 'log'>,
): PromptTokens {
  return Object.fromEntries(
    encoders.map(({ spec, config }) => {
      const find = (name: string) => folders.embedding(name);
      const warn = (message: string) => log?.('WARNING', message);
      const embeddings = embeddingLookup(find, { key: spec.name, width: config.width }, warn);
      const batches = tokenize(text, {
        tokenizer: clipTokenizer(),
        ...specialTokens(spec.pad),
        capacity: config.positions,
        embeddings,
      });
      return [spec.name, batches] as const;
    }),
  );
}

/** The conditioning of tokens: outputs of all encoders joined on channels, cut to the shortest. */
export async function encodePromptTokens(
  { setup, encoders, clipSkip }: Clip,
  tokens: PromptTokens,
  { runtime }: Pick<TextServices, 'runtime'>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<ConditioningEntry> {
  const encoded = [];
  for (const encoder of encoders) {
    const special = specialTokens(encoder.spec.pad);
    const batches = tokens[encoder.spec.name];
    encoded.push(await encodeTokens(runtime, encoder, batches, { special, clipSkip, signal }));
  }
  const length = Math.min(...encoded.map(({ hidden }) => hidden.shape[1]));
  const parts = encoded.map(({ hidden }) =>
    hidden.shape[1] === length ? hidden : sliceAxis(hidden, 1, 0, length),
  );
  return {
    cross: parts.length === 1 ? parts[0] : concat(parts, 2),
    pooled: encoded[setup.pooledFrom].pooled,
  };
}

/** The CLIP with another last layer (-1 .. -24). */
export function withClipSkip(clip: Clip, clipSkip: number): Clip {
  return { ...clip, clipSkip };
}

/** Throws NO_CLIP when a loader found no text encoder. */
export function requireClip(clip: Clip | null): Clip {
  if (!clip) throw new NoodleError('NO_CLIP');
  return clip;
}

/** Start, end and padding ids of CLIP's vocabulary. */
export function specialTokens(pad: 'end' | 'zero'): SpecialTokens {
  return { start: CLIP_START, end: CLIP_END, pad: pad === 'end' ? CLIP_END : 0 };
}
