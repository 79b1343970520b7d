/**
 * What the server and its pack process say to each other (Node IPC, 'advanced' serialisation). Values
 * that may hold a `Float` travel encoded; see `encode`.
 */
import type { NodeDefinition } from '../graph/definition.ts';
import type { LoadedPack, PackProblem } from './load-packs.ts';
import { Float } from '../workflow/lossless-json.ts';

/** A definition without its functions; what they would say is asked over the wire. */
export interface NodeDescription {
  /** The fields of a NodeDefinition that are data, encoded; choices are lists or `ChoicesError`. */
  readonly data: unknown;
  /** It has a check of its own. */
  readonly checks: boolean;
  /** Its choices are a function: they may differ the next time. */
  readonly changing: boolean;
}

/** Stands where choices could not be listed. */
export interface ChoicesError {
  readonly choicesError: string;
}

export interface WireError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

export type ToPacks =
  | {
      readonly type: 'load';
      readonly paths: readonly string[];
      /** Names that are taken. */
      readonly builtin: readonly string[];
    }
  | {
      readonly type: 'check';
      readonly id: number;
      readonly node: string;
      /** Encoded. */
      readonly inputs: unknown;
      readonly inputTypes: Readonly<Record<string, string>>;
    }
  /** Asks for the nodes whose choices differ from what was last told. */
  | { readonly type: 'choices'; readonly id: number };

export type FromPacks =
  /** This pack's code runs next. */
  | { readonly type: 'loading'; readonly path: string }
  | {
      readonly type: 'loaded';
      readonly nodes: readonly NodeDescription[];
      readonly packs: readonly LoadedPack[];
      readonly problems: readonly PackProblem[];
    }
  /** The answer to the question with this id, encoded. */
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: WireError }
  /** Something went wrong that belongs to no question. */
  | { readonly type: 'problem'; readonly problem: PackProblem };

/** Fields of a definition that are data and are handed on as they are. */
export type DataField = Exclude<
  keyof NodeDefinition,
  'run' | 'isChanged' | 'checkLazy' | 'validate' | 'inputs'
>;

const MAX_DEPTH = 64;

/**
 * A copy made of what the wire carries. A `Float` becomes a Map, which nothing else does. Throws
 * TypeError for functions, symbols, objects of a class, and nesting without end.
 */
export function encode(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new TypeError(`data nested deeper than ${MAX_DEPTH} levels`);
  if (value instanceof Float) return new Map([['float', value.value]]);
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`expected data, got a ${typeof value}`);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => encode(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('expected data, got an object of a class');
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, encode(item, depth + 1)]),
  );
}

/** The value that `encode` was given. */
export function decode(value: unknown): unknown {
  if (value instanceof Map) return new Float(value.get('float') as number);
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}
