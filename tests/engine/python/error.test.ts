import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { tracebackOf } from '../../../engine/python/error.ts';

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
