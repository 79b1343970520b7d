import { expect, it } from 'vitest';
import { engineEnvironment } from '../../../engine/worker/environment.ts';

it('engines ask for large pages, beside what the user asked for', () => {
  expect(engineEnvironment({ PATH: '/bin' })).toEqual({
    PATH: '/bin',
    GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  });
  expect(engineEnvironment({ GLIBC_TUNABLES: 'glibc.malloc.arena_max=2' })).toEqual({
    GLIBC_TUNABLES: 'glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1',
  });
  const own = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' };
  expect(engineEnvironment(own)).toEqual(own);
});
