/** CLIP: the text encoders of a model, as they travel between nodes; immutable. */
import type { EncodedText, TextSetup } from '../arch/family.ts';
import { NoodleError } from '../errors.ts';
import type { Conditioning, ConditioningEntry } from '../sampling/conditioning.ts';
import type { TokenBatch } from '../text/token-batches.ts';
import { type ClipHooks, hookedEncoder } from './clip-hooks.ts';
import { hookRanges } from './hook-group.ts';
import type { NetworkRun } from './network.ts';
import type { Services } from './services.ts';
import type { PromptOptions, TextEncoder } from './text-encoder.ts';

/** How Qwen-Image-Edit's prompts speak of pictures. */
export { qwenEditTemplate, qwenPicture } from '../arch/qwen-prompts.ts';

export interface Clip {
  readonly setup: TextSetup;
  /** As `setup.encoders`. */
  readonly encoders: readonly TextEncoder[];
  /** T5TokenizerOptions: what is asked of prompts, by the encoder's name. */
  readonly tokenizing?: Readonly<Record<string, PromptOptions>>;
  /** SetClipHooks: hooks under which prompts are encoded. */
  readonly hooks?: ClipHooks;
}

/** Weighted tokens per encoder, by the encoder's name; an encoder without any is not run. */
export type PromptTokens = Readonly<Record<string, readonly TokenBatch[] | undefined>>;

/** What encoding a prompt needs. */
export interface PromptRun extends NetworkRun {
  readonly folders: Pick<Services['folders'], 'embedding' | 'vocabulary'>;
  readonly log?: Services['log'];
  /** Shows the artist what is left out of a prompt; the log is told in any case. */
  readonly warn?: (message: string) => void;
}

/** Encodes a prompt with all of the model's encoders. Throws NO_CLIP without any. */
export async function encodePrompt(
  clip: Clip | null,
  text: string,
  run: PromptRun,
  options?: PromptOptions,
): Promise<ConditioningEntry> {
  const present = requireClip(clip);
  return encodePromptTokens(present, tokenizePrompt(present, text, run, options), run);
}

/** Cuts a prompt into tokens for every encoder; embeddings come from the embeddings folder. */
export function tokenizePrompt(
  { encoders, tokenizing = {} }: Clip,
  text: string,
  run: PromptRun,
  options: PromptOptions = {},
): PromptTokens {
  return Object.fromEntries(
    encoders.map((encoder) => {
      const { name } = encoder.spec;
      return [name, tokenizeFor(encoder, text, run, { ...tokenizing[name], ...options })];
    }),
  );
}

/** Cuts a text into tokens for one encoder. */
export function tokenizeFor(
  encoder: TextEncoder,
  text: string,
  { folders, log, warn }: PromptRun,
  options?: PromptOptions,
): readonly TokenBatch[] | undefined {
  const files = {
    find: (name: string) => folders.embedding(name),
    vocabulary: folders.vocabulary,
    warn(message: string) {
      log?.('WARNING', message);
      warn?.(message);
    },
  };
  return encoder.kind.tokenize(encoder, text, files, options);
}

/** The conditioning of tokens: the outputs of all encoders, joined as the family does. */
export async function encodePromptTokens(
  clip: Clip,
  tokens: PromptTokens,
  run: NetworkRun,
): Promise<ConditioningEntry> {
  const { setup, hooks } = clip;
  const entry = setup.join(await encodeTexts(clip, tokens, run));
  return hooks?.onConditioning ? { ...entry, changes: { hooks: hooks.group } } : entry;
}

/** The outputs of all encoders for tokens, by their names. */
export async function encodeTexts(
  { encoders, hooks }: Clip,
  tokens: PromptTokens,
  run: NetworkRun,
): Promise<Record<string, EncodedText>> {
  const encoded: Record<string, EncodedText> = {};
  for (const plain of encoders) {
    const { name } = plain.spec;
    const batches = tokens[name];
    if (!batches) continue;
    const encoder = hooks ? hookedEncoder(plain, hooks) : plain;
    encoded[name] = await encoder.kind.encode(encoder, batches, run);
  }
  return encoded;
}

/**
 * Encodes with `encode`: once, or where the CLIP's hooks are scheduled once for every part of the run
 * in which their strengths stay the same.
 */
export async function encodeScheduled(
  clip: Clip | null,
  encode: (clip: Clip) => Promise<ConditioningEntry>,
): Promise<Conditioning> {
  const present = requireClip(clip);
  const { hooks } = present;
  if (!hooks?.scheduled) return [await encode(present)];
  const entries: ConditioningEntry[] = [];
  for (const { start, end, strengths } of hookRanges(hooks.group)) {
    const entry = await encode({ ...present, hooks: { ...hooks, strengths } });
    entries.push({ ...entry, textRange: { start, end } });
  }
  return entries;
}

/** The CLIP with another last layer (-1 .. -24). */
export function withLastLayer(clip: Clip, lastLayer: number): Clip {
  return { ...clip, encoders: clip.encoders.map((encoder) => ({ ...encoder, lastLayer })) };
}

/** The CLIP whose encoders of these names cut prompts otherwise. */
export function withTokenizing(clip: Clip, names: readonly string[], options: PromptOptions): Clip {
  const own = Object.fromEntries(
    names.map((name) => [name, { ...clip.tokenizing?.[name], ...options }]),
  );
  return { ...clip, tokenizing: { ...clip.tokenizing, ...own } };
}

/** The CLIP whose pooled outputs are not projected (GLIGEN). */
export function withPlainPooled(clip: Clip): Clip {
  const encoders = clip.encoders.map((encoder) => {
    const { spec } = encoder;
    return spec.kind === 'clip' ? { ...encoder, spec: { ...spec, projected: false } } : encoder;
  });
  return { ...clip, encoders };
}

/** Throws NO_CLIP when a loader found no text encoder. */
export function requireClip(clip: Clip | null): Clip {
  if (!clip) throw new NoodleError('NO_CLIP');
  return clip;
}
