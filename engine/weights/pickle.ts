/**
 * Reads the data of a Python pickle without running anything: a small stack machine (the opcodes
 * of PEP 307 / PEP 3154 that plain data needs) in which a class or function is only a name. Calls
 * go to the caller's table; an unknown one is an error.
 */
import { NoodleError } from '../errors.ts';

/** A class or function that the pickle names; it is never looked up. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A value of a pickle: null, boolean, number, bigint, string, Uint8Array, array (list or tuple),
 * Map (dict), PickleGlobal, or what the caller's table made.
 */
export type PickleValue = unknown;

export interface PickleOptions {
  /** What a call of `module.name` with these arguments gives; undefined refuses it. */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  /** What a persistent id (torch: a storage) stands for. */
  persistent(id: PickleValue): PickleValue;
}

const MARK = Symbol('mark');

/** The largest files of weights take a tenth of it; each step can make an object of a byte. */
const MOST_STEPS = 1_000_000;

/** Decodes one pickle. Throws UNSUPPORTED for anything but plain data and allowed calls. */
export const readPickle = (file: string, bytes: Uint8Array, options: PickleOptions): PickleValue =>
  readPickleAt(file, bytes, options).value;

/** The same for a pickle that more bytes may follow: `end` is where it ends. */
export function readPickleAt(
  file: string,
  bytes: Uint8Array,
  options: PickleOptions,
): { readonly value: PickleValue; readonly end: number } {
  const fail = (reason: string): never => {
    throw new NoodleError('UNSUPPORTED', { what: `${file}: cannot read this pickle: ${reason}` });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8');
  const stack: PickleValue[] = [];
  const memo = new Map<number, PickleValue>();
  let at = 0;

  const take = (count: number): Uint8Array => {
    if (count < 0 || at + count > bytes.length) fail('it ends too early');
    at += count;
    return bytes.subarray(at - count, at);
  };
  const u8 = (): number => take(1)[0];
  const u16 = (): number => (take(2), view.getUint16(at - 2, true));
  const u32 = (): number => (take(4), view.getUint32(at - 4, true));
  const size64 = (): number => (take(8), Number(view.getBigUint64(at - 8, true)));
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    const text = utf8.decode(take((end < 0 ? bytes.length : end) - at));
    take(1);
    return text;
  };
  const pop = (): PickleValue => {
    const slot = stack.pop();
    if (slot === undefined || slot === MARK) return fail('its stack is empty');
    return slot;
  };
  const text = (): string => {
    const value = pop();
    return typeof value === 'string' ? value : fail('a name that is no text');
  };
  const popToMark = (): PickleValue[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) return fail('a mark is missing');
    const values = stack.splice(mark + 1);
    stack.pop();
    return values;
  };
  const tuple = (count: number): void => {
    const values = Array.from({ length: count }, pop).reverse();
    stack.push(values);
  };
  const list = (): PickleValue[] => {
    const target = stack[stack.length - 1];
    return Array.isArray(target)
      ? (target as PickleValue[])
      : fail('append to something that is no list');
  };
  const setItems = (pairs: PickleValue[]): void => {
    const target = stack[stack.length - 1];
    if (!(target instanceof Map)) return fail('item set on something that is no dict');
    for (let i = 0; i + 1 < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1]);
  };
  const recall = (index: number): void => {
    const value = memo.get(index);
    stack.push(value === undefined ? fail('an unknown memo') : value);
  };
  const remember = (index: number): void => {
    const top = stack[stack.length - 1];
    memo.set(index, top === undefined ? fail('its stack is empty') : top);
  };
  const long = (length: number): PickleValue => {
    if (length > 16) return fail('a very long integer');
    const digits = take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]);
    value = BigInt.asIntN(8 * length, value);
    const plain = Number(value);
    return Number.isSafeInteger(plain) ? plain : value;
  };
  const reduce = (): void => {
    const args = pop();
    const callee = pop();
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) {
      return fail('a call of something that is no name');
    }
    const result = options.call(callee.name, args);
    stack.push(result === undefined ? fail(`it needs ${callee.name}`) : result);
  };

  for (let step = 0; ; step++) {
    if (step === MOST_STEPS) fail(`more than ${MOST_STEPS} steps`);
    const op = String.fromCharCode(u8());
    // prettier-ignore
    switch (op) {
      case '\x80': u8(); break; // protocol
      case '\x95': take(8); break; // frame
      case '.': return { value: pop(), end: at };
      case '(': stack.push(MARK); break;
      case '0': pop(); break;
      case '1': popToMark(); break;
      case 'N': stack.push(null); break;
      case '\x88': stack.push(true); break;
      case '\x89': stack.push(false); break;
      case 'K': stack.push(u8()); break;
      case 'M': stack.push(u16()); break;
      case 'J': stack.push(u32() | 0); break;
      case '\x8a': stack.push(long(u8())); break;
      case 'G': take(8); stack.push(view.getFloat64(at - 8)); break;
      case 'X': stack.push(utf8.decode(take(u32()))); break;
      case '\x8c': stack.push(utf8.decode(take(u8()))); break;
      case '\x8d': stack.push(utf8.decode(take(size64()))); break;
      case 'U': stack.push(utf8.decode(take(u8()))); break;
      case 'T': stack.push(utf8.decode(take(u32()))); break;
      case 'C': stack.push(take(u8())); break;
      case 'B': stack.push(take(u32())); break;
      case ')': stack.push([]); break;
      case '\x85': tuple(1); break;
      case '\x86': tuple(2); break;
      case '\x87': tuple(3); break;
      case 't': stack.push(popToMark()); break;
      case ']': stack.push([]); break;
      case 'l': stack.push(popToMark()); break;
      case 'a': { const value = pop(); list().push(value); break; }
      case 'e': { const values = popToMark(); const target = list(); for (const v of values) target.push(v); break; }
      case '}': stack.push(new Map()); break;
      case 'd': { const pairs = popToMark(); stack.push(new Map()); setItems(pairs); break; }
      case 's': { const value = pop(); const key = pop(); setItems([key, value]); break; }
      case 'u': setItems(popToMark()); break;
      case 'q': remember(u8()); break;
      case 'r': remember(u32()); break;
      case '\x94': remember(memo.size); break;
      case 'h': recall(u8()); break;
      case 'j': recall(u32()); break;
      case 'c': { const module = line(); stack.push(new PickleGlobal(`${module}.${line()}`)); break; }
      case '\x93': { const name = text(); stack.push(new PickleGlobal(text() + '.' + name)); break; }
      case 'Q': stack.push(options.persistent(pop())); break;
      case 'R': reduce(); break;
      // Object state (requires_grad hooks, OrderedDict metadata) carries no numbers we need.
      case 'b': pop(); break;
      default: fail(`opcode ${JSON.stringify(op)}`);
    }
  }
}
