/** SentencePiece's model files (Kudo & Richardson 2018): a protobuf of pieces, scores and normalisation. */
import { NoodleError } from '../errors.ts';

/** What kind of thing a piece is; the numbers are the format's own. */
export const pieceKinds = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: number;
}

export interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  /** The way texts are cut: 1 unigram, 2 byte-pair encoding. */
  readonly algorithm: number;
  /** Characters that no piece covers become their UTF-8 bytes. */
  readonly byteFallback: boolean;
  readonly charsMap: Uint8Array;
  /** Texts get a space in front. */
  readonly dummyPrefix: boolean;
  /** Runs of spaces are one, and there is none at either end. */
  readonly removeExtraSpaces: boolean;
}

/** Reads a model; `subject` names the file in errors. Throws BAD_INPUT when it is none. */
export function readSentencePieceModel(bytes: Uint8Array, subject: string): SentencePieceModel {
  const pieces: Piece[] = [];
  let algorithm = 1;
  let byteFallback = false;
  let charsMap = new Uint8Array();
  let dummyPrefix = true;
  let removeExtraSpaces = true;
  for (const { number, value } of fields(bytes, subject)) {
    if (number === 1) pieces.push(readPiece(asBytes(value), subject));
    else if (number === 2) {
      for (const training of fields(asBytes(value), subject)) {
        if (training.number === 3) algorithm = Number(training.value);
        if (training.number === 35) byteFallback = Number(training.value) !== 0;
      }
    } else if (number === 3) {
      for (const rule of fields(asBytes(value), subject)) {
        if (rule.number === 2) charsMap = Uint8Array.from(asBytes(rule.value));
        if (rule.number === 3) dummyPrefix = Number(rule.value) !== 0;
        if (rule.number === 4) removeExtraSpaces = Number(rule.value) !== 0;
      }
    }
  }
  if (pieces.length === 0) throw malformed(subject, 'one without pieces');
  if (algorithm !== 1 && algorithm !== 2) {
    throw malformed(subject, `one of another kind (${algorithm})`);
  }
  return { pieces, algorithm, byteFallback, charsMap, dummyPrefix, removeExtraSpaces };
}

function readPiece(bytes: Uint8Array, subject: string): Piece {
  let text = '';
  let score = 0;
  let kind: number = pieceKinds.normal;
  for (const { number, value } of fields(bytes, subject)) {
    if (number === 1) text = Buffer.from(asBytes(value)).toString();
    else if (number === 2 && typeof value === 'number') score = value;
    else if (number === 3) kind = Number(value);
  }
  return { text, score, kind };
}

/** A field: a varint (bigint), a 32-bit float, or bytes. */
interface Field {
  readonly number: number;
  readonly value: bigint | number | Uint8Array;
}

const asBytes = (value: Field['value']): Uint8Array =>
  value instanceof Uint8Array ? value : new Uint8Array();

/** The fields of a protobuf message, in order. */
function* fields(bytes: Uint8Array, subject: string): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw malformed(subject, 'one that is cut short');
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw malformed(subject, 'something else');
  };
  const take = (length: number): number => {
    if (length > bytes.length - at) throw malformed(subject, 'one that is cut short');
    at += length;
    return at - length;
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (wire === 0) yield { number, value: varint() };
    else if (wire === 2) {
      const length = Number(varint());
      const start = take(length);
      yield { number, value: bytes.subarray(start, start + length) };
    } else if (wire === 5) yield { number, value: view.getFloat32(take(4), true) };
    else if (wire === 1) take(8);
    else throw malformed(subject, 'something else');
  }
}

const malformed = (subject: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', { subject, expected: 'a SentencePiece model', got });
