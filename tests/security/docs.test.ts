/** docs/security.md names files and tests: both must be there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');

it('names guards and tests that exist', () => {
  const files = [...page.matchAll(/`((?:engine|tests|bench|nodes)\/[\w./-]+\.ts)`/g)];
  expect(files.length).toBeGreaterThan(25);
  for (const [, file] of files) expect(existsSync(join(root, file)), file).toBe(true);

  const tests = [...page.matchAll(/`([\w-]+\.test\.ts)`((?:, \*[^*]+\*)*)/g)];
  expect(tests.length).toBeGreaterThan(15);
  for (const [, file, names] of tests) {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8').replaceAll('’', "'");
    for (const [, name] of names.matchAll(/\*([^*]+)\*/g)) expect(text).toContain(name);
  }
});

it('has a test for every incident', () => {
  const incidents = page
    .split('## Incidents this is made for')[1]
    .split('\n## ')[0]
    .split('\n### ');
  expect(incidents.length).toBeGreaterThan(20);
  for (const incident of incidents.slice(1))
    expect(incident).toMatch(/Test: .*`|runs under|`\w+\.test\.ts`/);
});
