/** Python's `bool(value)` of anything that flows on a wire. */
import { Float } from '../workflow/lossless-json.ts';
import { PythonError } from './error.ts';

/** Whether Python takes a value for true; throws RuntimeError for an array of more than one number. */
export function isTruthy(value: unknown): boolean {
  if (value instanceof Float) return value.value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (value === null || typeof value !== 'object') return Boolean(value) || Number.isNaN(value);
  if ('data' in value && 'shape' in value) return isTruthyArray(value.data as ArrayLike<number>);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype || Object.keys(value).length > 0;
}

function isTruthyArray(data: ArrayLike<number>): boolean {
  if (data.length === 1) return data[0] !== 0;
  const why =
    data.length === 0
      ? 'Boolean value of Tensor with no values is ambiguous'
      : 'Boolean value of Tensor with more than one value is ambiguous';
  throw new PythonError('RuntimeError', why);
}
