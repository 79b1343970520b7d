/**
 * `node --import ./bin/typescript.js docs/errors.ts`: writes docs/errors.md from the table of errors, so that the page
 * cannot differ from the code (a test compares them).
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorTable } from '../engine/errors.ts';

/** The page: one row per code, with the names of the values its message shows. */
export function errorsPage(): string {
  const names = new Proxy({}, { get: (_, key) => `‹${String(key)}›` });
  const rows = Object.entries(errorTable).map(([code, { status, message }]) => {
    const text = (message as (details: object) => string)(names)
      .replaceAll('|', '\\|')
      .replaceAll('\n', ' ');
    return `| \`${code}\` | ${status} | ${text} |`;
  });
  return [
    '# Errors',
    '',
    'Every error that Noodle raises on purpose (generated from `engine/errors.ts`). ComfyUI routes answer them as',
    '`{"error": {type, message, details, extra_info}, "node_errors": {}}` with the code in lower case as type, `/v1` as problem+json;',
    'inside a node they become `execution_error`.',
    '',
    '| code | HTTP status | message |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const page = fileURLToPath(new URL('./errors.md', import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, errorsPage());
