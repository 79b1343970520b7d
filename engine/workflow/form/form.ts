/** A workflow as a form: the inputs that somebody without a graph may fill in. */
import type { Json } from '../lossless-json.ts';

/** How an input is asked for. */
export type FieldKind =
  | 'text'
  | 'longtext'
  | 'int'
  | 'float'
  | 'bool'
  | 'select'
  | 'seed'
  | 'image'
  | 'mask'
  | 'video'
  | 'audio'
  | 'model';

/** What a field means to the picture, where that is known. */
export type FieldRole =
  | 'positive'
  | 'negative'
  | 'seed'
  | 'width'
  | 'height'
  | 'length'
  | 'batch'
  | 'steps'
  | 'cfg'
  | 'denoise';

/** Groups of fields, in the order in which forms show them. */
export const CATEGORIES = ['prompt', 'media', 'size', 'sampler', 'model', 'advanced'] as const;
export type Category = (typeof CATEGORIES)[number];

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** One field; members are named as the API shows them. */
export interface FormField {
  /** `<node>.<input>` of the prompt. */
  readonly key: string;
  /** A short name that no other field of the form has. */
  readonly name: string;
  readonly node_id: string;
  readonly input: string;
  readonly label: string;
  readonly help: string;
  readonly kind: FieldKind;
  readonly role: FieldRole | null;
  readonly category: Category;
  /** Heading under which the field stands; '' under none. */
  readonly section: string;
  readonly default: Json;
  /** What a value must keep to. */
  readonly min: number | null;
  readonly max: number | null;
  readonly step: number | null;
  /** What a slider offers, which is less than what is allowed; null where a slider makes no sense. */
  readonly slider: Range | null;
  /** What may be chosen; null for everything else. Files to upload are not held to it. */
  readonly options: readonly (string | number)[] | null;
  /** Shown when more is asked for. */
  readonly advanced: boolean;
  /** Left out by the author of the form; the API takes it all the same. */
  readonly hidden: boolean;
  /** Where the mask of the same picture is used too. */
  readonly masked: boolean;
  /** All inputs that take the value: more than one where a primitive feeds them. */
  readonly targets: readonly string[];
}

/** A field before its author is heard, and before it has a name among the others. */
export type Draft = Omit<FormField, 'name' | 'hidden'> & {
  /** Its label says already which node is meant. */
  readonly titled: boolean;
};

/** A node whose results a form may show. */
export interface FormOutput {
  readonly node_id: string;
  readonly title: string;
  readonly class_type: string;
  readonly shown: boolean;
}

export interface Form {
  readonly title: string;
  readonly description: string;
  /** `app`: chosen by an author (`extra.linearData`); `rules`: found by rule. */
  readonly source: 'app' | 'rules';
  readonly fields: readonly FormField[];
  readonly outputs: readonly FormOutput[];
  readonly warnings: readonly string[];
}
