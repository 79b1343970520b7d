/** Element types of tensor programs. Arithmetic happens in f32; the others are storage, ids and masks. */
import { type Dtype, dtypes } from '../weights/dtypes.ts';

export type { Dtype } from '../weights/dtypes.ts';

/** Types that hold real numbers at less than f32's precision: widened where a program reads them. */
export const isNarrowFloat = (dtype: Dtype): boolean => dtypes[dtype].kind === 'narrow';

/** Whether values of the type are real numbers, at whatever precision. */
export const isReal = (dtype: Dtype): boolean =>
  dtypes[dtype].kind === 'real' || dtypes[dtype].kind === 'narrow';

/** Whether values of the type are integers (ids, sizes, bytes). */
export const isInteger = (dtype: Dtype): boolean => dtypes[dtype].kind === 'integer';
