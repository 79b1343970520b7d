import { constants } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { messageOf, pythonTypeOf, tracebackOf } from '../../../engine/python/error.ts';
import { compileRegex, substitute } from '../../../engine/python/regex.ts';
import { replaceAll } from '../../../engine/python/string.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

it.each([
  [`at run (${root}nodes/image.ts:10:5)`, 'at run (nodes/image.ts:10:5)'],
  [`at async run (file://${root}nodes/image.ts:10:5)`, 'at async run (nodes/image.ts:10:5)'],
  [`at async ${root}engine/graph/execute.ts:1:2`, 'at async engine/graph/execute.ts:1:2'],
  ['at f (/home/ann/comfy/custom_nodes/a/b.ts:3:4)', 'at f (custom_nodes/a/b.ts:3:4)'],
  ['at new A [as b] (/home/a (b)/x.ts?v=1:3:4)', 'at new A [as b] (x.ts?v=1:3:4)'],
  ['at f (/home/ann/node_modules/sharp/lib/x.js:3:4)', 'at f (node_modules/sharp/lib/x.js:3:4)'],
  ['at f (C:\\Users\\ann\\custom_nodes\\a\\b.ts:3:4)', 'at f (custom_nodes\\a\\b.ts:3:4)'],
  ['at node:internal/timers:5:6', 'at node:internal/timers:5:6'],
  ['at async Promise.all (index 0)', 'at async Promise.all (index 0)'],
  [
    'at eval (eval at f (/home/ann/x.ts:1:1), <anonymous>:1:1)',
    'at eval (eval at f (x.ts:1:1), <anonymous>:1:1)',
  ],
])('a trace names no folder of the server: %s', (frame, shown) => {
  const error = new Error('broken');
  error.stack = `Error: broken\n    ${frame}`;
  expect(tracebackOf(error)).toEqual([`  ${shown}\n`]);
});

it.each([
  new NoodleError('SAFETENSORS_HEADER', { file: '/srv/models/vae/a b.safetensors', reason: 'cut' }),
  new NoodleError('UNSUPPORTED', { what: '/srv/models/vae/a b.safetensors: no weights' }),
  new NoodleError('UNSUPPORTED', { what: 'C:\\models\\a b.safetensors: no weights' }),
])('a message names a model file without the folders of the server (%#)', (error) => {
  expect(messageOf(error)).toContain('a b.safetensors');
  expect(messageOf(error)).not.toMatch(/srv|models|C:/);
});

it('a message keeps what only looks like a path', () => {
  const got = '1/2 of /a';
  const error = new NoodleError('BAD_INPUT', { subject: 'x', expected: '/', got });
  expect(messageOf(error)).toBe('x: expected /, got 1/2 of /a');
});

const long = 'x'.repeat(1_000_000);
const many = 'a'.repeat(1000);

it.each([
  ['replace', () => replaceAll(many, 'a', long)],
  ['replace between all', () => replaceAll(many, '', long)],
  [
    'a pattern',
    () =>
      substitute(
        compileRegex('a', { ignoreCase: false, multiline: false, dotAll: false }),
        long,
        many,
      ),
  ],
  ['repeat', () => long.repeat(1000)],
  ['bytes', () => Buffer.alloc(constants.MAX_STRING_LENGTH + 1).toString('latin1')],
])('a text that becomes too long is told in our words, as a MemoryError: %s', (_, make) => {
  try {
    make();
    expect.unreachable();
  } catch (error) {
    expect(messageOf(error)).toBe('a text of more than 536870888 characters cannot be made');
    expect(pythonTypeOf(error)).toBe('MemoryError');
  }
});
