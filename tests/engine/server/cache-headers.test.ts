import { describe, expect, it } from 'vitest';
import { cacheControl } from '../../../engine/server/cache-headers.ts';

// Rows of the reference's own tests-unit/server_test/test_cache_control.py, by their meaning.
describe('cacheControl', () => {
  it.each([
    ['/a.js', 200, 'no-cache'],
    ['/a.css', 404, 'no-cache'],
    ['/index.json', 200, 'no-cache'],
    ['/locales/index.en.json', 200, 'no-cache'],
    ['/other.json', 200, undefined],
    ['/a.PNG', 200, 'public, max-age=86400'],
    ['/a.jpeg', 206, 'public, max-age=86400'],
    ['/a.webp', 404, 'public, max-age=3600'],
    ['/a.tif', 301, 'public, max-age=86400'],
    ['/a.bmp', 302, 'no-cache'],
    ['/a.pgm', 304, undefined],
    ['/a.ppm', 500, undefined],
    ['/view', 200, undefined],
  ])('%s %i -> %s', (path, status, expected) => {
    expect(cacheControl(path, status)).toBe(expected);
  });
});
