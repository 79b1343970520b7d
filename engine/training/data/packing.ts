/** Values with arrays somewhere in them, as JSON beside named tensors, and back. */
import type { NDArray } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';

/** What stands in the JSON for an array. */
interface Reference {
  readonly $tensor: string;
}

/** JSON of a value called `at`; its arrays go to `keep` under names that say where they were. */
export function pack(
  value: unknown,
  at: string,
  keep: (name: string, array: NDArray) => void,
): unknown {
  if (isArray(value)) {
    keep(at, value);
    return { $tensor: at } satisfies Reference;
  }
  if (Array.isArray(value)) return value.map((item, i) => pack(item, `${at}.${i}`, keep));
  if (isPlainObject(value) && !Object.hasOwn(value, '$tensor')) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return Object.fromEntries(members.map(([key, v]) => [key, pack(v, `${at}.${key}`, keep)]));
  }
  const isPlain = value === null || ['string', 'boolean'].includes(typeof value);
  if (isPlain || (typeof value === 'number' && Number.isFinite(value))) return value;
  const expected = 'numbers, texts and arrays, which a file can keep';
  const got = typeof value === 'object' ? value.constructor.name : typeof value;
  throw new NoodleError('BAD_INPUT', { subject: at, expected, got });
}

/** The value of such a JSON; `find` throws where it has no array of a name. */
export function unpack(json: unknown, find: (name: string) => NDArray): unknown {
  if (Array.isArray(json)) return json.map((item) => unpack(item, find));
  if (!isPlainObject(json)) return json;
  if (typeof json.$tensor === 'string') return find(json.$tensor);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, unpack(value, find)]));
}

const isArray = (value: unknown): value is NDArray =>
  isPlainObject(value) && value.data instanceof Float32Array && Array.isArray(value.shape);

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
