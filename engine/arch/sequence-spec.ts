/** How a family uses an encoder whose rows are as long as the prompt: T5, language models, BERT. */
import type { VocabularyName } from '../text/vocabularies.ts';
import type { LanguageModelFacts, States } from './language-model.ts';

/** The part of a row that is handed on: tokens `start` to `end`; negative numbers count from its end. */
export interface Crop {
  readonly start: number;
  readonly end?: number;
}

interface Sequence {
  /** Name of the encoder's vectors in embedding files; also names its token list. */
  readonly name: string;
  readonly vocabulary: VocabularyName;
  /** Ids around every prompt; left out: the encoder has none. */
  readonly start?: number;
  readonly end?: number;
  readonly pad: number;
  /** Rows are padded to at least this length. */
  readonly minLength: number;
  /** Rows have at most this length; a longer prompt becomes several. */
  readonly maxLength?: number;
  /** Of several rows only the first counts. */
  readonly firstRowOnly?: boolean;
  /** `embedding:` names files of vectors; elsewhere it is plain text. */
  readonly embeddings?: boolean;
  /** Brackets mean nothing: no emphasis. */
  readonly plain?: boolean;
  /** Text around the prompt, which stands at `{}`. */
  readonly template?: string;
  /** The same for prompts with pictures; each stands at a `pictureToken`. */
  readonly pictureTemplate?: string;
  readonly pictureToken?: number;
  /** Starts of prompts that bring their own template. */
  readonly templated?: readonly string[];
  /** The part of a prompt that this encoder gets; undefined: none of it, and it is not run. */
  readonly part?: (prompt: string) => string | undefined;
  /** The prompt within its template is padded, or cut, to this length; `template` options of nodes do not count. */
  readonly promptLength?: number;
  /** Parts of a prompt whose letters share no token; left out: it is one. Only with `promptLength`. */
  readonly parts?: (prompt: string) => readonly string[];
  /** Padding is hidden from attention. */
  readonly masked: boolean;
  /** Padding is 0 in what comes out. */
  readonly zeroed?: boolean;
  /** Whether the network is told of padding. */
  readonly mask?: 'always' | 'where-padded';
  /** Emphasis is measured from nothing but padding, without the end. */
  readonly emptyIsPadding?: boolean;
  /** What is cut away of the template, from the tokens (pictures counting one) and the length of what came out. */
  readonly crop?: (ids: readonly unknown[], length: number) => Crop;
}

export interface T5Spec extends Sequence {
  readonly kind: 't5';
}

export interface BertSpec extends Sequence {
  readonly kind: 'bert';
}

export interface LanguageModelSpec extends Sequence {
  readonly kind: 'language-model';
  readonly facts: LanguageModelFacts;
  readonly states: States;
  /** Heads of the part that sees pictures, where files have one. */
  readonly visionHeads?: number;
}

export type SequenceSpec = T5Spec | BertSpec | LanguageModelSpec;
