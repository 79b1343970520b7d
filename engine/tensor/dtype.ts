/** Element types of tensor programs. Arithmetic happens in f32; the others are storage, ids and masks. */
export type Dtype =
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'f8e4m3'
  | 'f8e5m2'
  | 'f64'
  | 'i64'
  | 'i32'
  | 'i16'
  | 'i8'
  | 'u64'
  | 'u32'
  | 'u16'
  | 'u8'
  | 'bool';

/** Types that hold real numbers at less than f32's precision: widened where a program reads them. */
export function isNarrowFloat(dtype: Dtype): boolean {
  return dtype === 'f16' || dtype === 'bf16' || dtype === 'f8e4m3' || dtype === 'f8e5m2';
}

/** Whether values of the type are integers (ids, sizes, bytes). */
export function isInteger(dtype: Dtype): boolean {
  return /^[iu]\d/.test(dtype);
}
