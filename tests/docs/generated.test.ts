/** Pages, or parts of them, that `npm run docs` writes from the code. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compatPage } from '../../docs/compat.ts';
import { errorsPage } from '../../docs/errors.ts';

test.each([
  ['errors.md', errorsPage],
  ['compat.md', compatPage],
])('docs/%s is as the code says', (name, page) => {
  expect(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')).toBe(page());
});
