/** Weights as they are prepared for a session. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutSize } from '../../engine/weights/layout.ts';
import { storageDtypes } from '../../engine/weights/dtypes.ts';
import { type PrepareTask, prepareFile } from '../../engine/weights/prepare.ts';

/** What `prepareFile` writes for one weight that lies in memory. */
export function prepareInMemory(
  { dtype, shape, layout }: Pick<PrepareTask, 'dtype' | 'shape' | 'layout'>,
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), 'noodle-prepare-'));
  try {
    const path = join(folder, 'weights');
    const target = 64;
    const size = layoutSize(layout, storageDtypes[dtype].dtype, shape);
    writeFileSync(path, new Uint8Array(target + size));
    prepareFile(path, [{ dtype, shape, layout, bytes: { kind: 'memory', bytes }, target }]);
    return Uint8Array.from(readFileSync(path).subarray(target));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same as f32 numbers. */
export const preparedFloats = (
  task: Pick<PrepareTask, 'dtype' | 'shape' | 'layout'>,
  bytes: Uint8Array,
): Float32Array => new Float32Array(prepareInMemory(task, bytes).buffer);

/** The first index at which two arrays differ (NaN is like NaN, -0 is not 0); -1: nowhere. */
export function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}
