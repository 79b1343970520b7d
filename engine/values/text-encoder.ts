/** What every text encoder is, whatever its network; the kinds are rows of text-encoders.ts. */
import type { NDArray } from '../array/nd.ts';
import type { EncodedText, TextEncoderSpec } from '../arch/family.ts';
import type { EmbeddingFiles } from '../text/embeddings.ts';
import type { SessionInput } from '../runtime/runtime.ts';
import type { Token, TokenBatch } from '../text/token-batches.ts';
import type { FindVocabulary } from '../text/vocabularies.ts';
import type { WeightSource } from '../weights/source.ts';
import type { Architecture, NetworkRun, Weighted } from './network.ts';

/** A text encoder of a file with the way its family uses it; immutable. */
export interface TextEncoder extends Weighted {
  readonly kind: TextEncoderKind;
  readonly spec: TextEncoderSpec;
  /** Sizes read from shapes; only the kind looks inside. */
  readonly config: unknown;
  /** CLIPSetLastLayer: the block whose output is used, -1 the last; undefined leaves it to `spec`. */
  readonly lastLayer?: number;
}

/** The files that prompts and tokenizers name. */
export interface PromptFiles extends EmbeddingFiles {
  readonly vocabulary: FindVocabulary;
}

/** What a node may ask of the way its prompt is cut, where the encoder knows of such a thing. */
export interface PromptOptions {
  /** In place of the encoder's own template; the prompt stands at `{}`. */
  readonly template?: string;
  /** Pictures that the prompt speaks of, each [1, height, width, 3]. */
  readonly pictures?: readonly NDArray[];
  /** In place of the encoder's own. */
  readonly minLength?: number;
  /** Padding behind every prompt. */
  readonly minPadding?: number;
}

/** A row of tokens as an encoder's network is asked about it; the answers are `hidden` and maybe `pooled`. */
export interface RowCall {
  readonly architecture: Architecture;
  readonly inputs: Readonly<Record<string, SessionInput>>;
}

/** What differs between CLIP, T5 and language models. `E` is the kind's own encoder. */
export interface TextEncoderKind<E extends TextEncoder = TextEncoder> {
  /** The encoders that files of this kind hold: name to title. */
  readonly titles: Readonly<Record<string, string>>;
  /** The source under the names this kind's architecture asks for. */
  normalise(source: WeightSource): WeightSource;
  /** Which encoder a normalised source holds; undefined when it is none of this kind. */
  identify(source: WeightSource): TextEncoderSpec | undefined;
  /** The encoder in a normalised source; undefined when the source does not hold it. */
  open(source: WeightSource, spec: E['spec']): E | undefined;
  /**
   * A prompt as rows of weighted tokens; undefined when there is nothing in it for this encoder. Embeddings and
   * vocabularies are found in `files`.
   */
  tokenize(
    encoder: E,
    text: string,
    files: PromptFiles,
    options?: PromptOptions,
  ): TokenBatch[] | undefined;
  /** Hidden states with emphasis, and what else the encoder gives. */
  encode(encoder: E, batches: readonly TokenBatch[], run: NetworkRun): Promise<EncodedText>;
  /**
   * One row at a time, for kinds whose hidden states are what the network answers for each row, one behind the
   * other: these can be trained.
   */
  readonly row?: {
    call(encoder: E, row: readonly Token[]): RowCall;
    /** The row of an empty prompt of this length, from which emphasis is measured. */
    empty(encoder: E, length: number): readonly Token[];
  };
}
