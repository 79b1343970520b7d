/**
 * How many of the reference's classes there are: of 0.3.64 all, of those that 0.33 added the ones that need no
 * network of their own (tests/fixtures/network-classes-0.33.json names the others, each under its reason).
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { builtinNodes } from '../../nodes/index.ts';
import { referenceNodeNames33 } from '../support/object-info.ts';

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

const old = Object.values(
  read('../../docs/reference-nodes.json') as Record<string, string[]>,
).flat();
const excluded = Object.values(
  read('../fixtures/network-classes-0.33.json') as Record<string, string[]>,
).flat();
const added = referenceNodeNames33().filter((name) => !old.includes(name));
const free = added.filter((name) => !excluded.includes(name));
const ours = builtinNodes();

/** What was reached; a change may raise these numbers, never lower them. */
const LEAST = { old: 318, free: 105 };

it('covers the classes of 0.3.64 and the network-free ones that 0.33 added', () => {
  const share = (title: string, names: readonly string[]): number => {
    const missing = names.filter((name) => !ours.has(name));
    const have = names.length - missing.length;
    const percent = ((100 * have) / names.length).toFixed(1);
    const counts = `${have} of ${names.length} (${percent} %)`;
    process.stdout.write(`${title}: ${counts}\nmissing: ${missing.join(', ')}\n`);
    return have;
  };
  expect(share('ComfyUI 0.3.64', old)).toBeGreaterThanOrEqual(LEAST.old);
  expect(share('added by 0.33, no network', free)).toBeGreaterThanOrEqual(LEAST.free);
});

it('excludes only classes that 0.33 added, each once', () => {
  expect(excluded.filter((name) => !added.includes(name))).toEqual([]);
  expect(new Set(excluded).size).toBe(excluded.length);
});
