/**
 * Writes the lists of docs/compat.md (nodes, samplers, schedulers) from what the program has:
 * `npm run docs`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { samplers } from '../engine/sampling/samplers/table.ts';
import { schedulers } from '../engine/sampling/schedules/schedules.ts';
import { builtinNodes } from '../nodes/index.ts';

const START = '<!-- lists: written by docs/compat.ts -->';
const END = '<!-- end of lists -->';

const file = new URL('compat.md', import.meta.url);
const reference = read('reference-nodes.json') as Record<string, string[]>;
const info = read('../tests/fixtures/object_info.json') as {
  KSampler: { input: { required: { sampler_name: [string[]]; scheduler: [string[]] } } };
};
const { sampler_name: samplerNames, scheduler: schedulerNames } = info.KSampler.input.required;

/** The page with its lists as the program is now. */
export function compatPage(): string {
  const lists = [
    nodeTable(),
    nameList('Samplers', samplerNames[0], Object.keys(samplers)),
    nameList('Schedulers', schedulerNames[0], Object.keys(schedulers)),
  ].join('\n\n');
  const [head, rest] = readFileSync(file, 'utf8').split(START);
  return `${head}${START}\n\n${lists}\n\n${END}${rest.split(END)[1]}`;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}

/** One row per file of the reference: which of its nodes there are, and which are not. */
function nodeTable(): string {
  const ours = new Set(builtinNodes().keys());
  const rows = Object.entries(reference).map(([module, names]) => {
    const missing = names.filter((name) => !ours.has(name));
    const have = names.length - missing.length;
    const result = missing.length === 0 ? 'yes' : have === 0 ? 'no' : 'partly';
    const shown = have === 0 ? '' : missing.join(', ');
    return { have, row: `| \`${module}\` | ${result} | ${have} of ${names.length} | ${shown} |` };
  });
  const total = Object.values(reference).flat().length;
  const have = rows.reduce((sum, row) => sum + row.have, 0);
  const known = new Set(Object.values(reference).flat());
  const own = [...ours].filter((name) => !known.has(name));
  const rest = own.length === 0 ? '' : ` Besides them: ${own.join(', ')}.`;
  return [
    `### Nodes: ${have} of ${total}`,
    '',
    `By the file of ComfyUI 0.3.64 that defines them.${rest}`,
    '',
    '| file | there | nodes | missing |',
    '|---|---|---|---|',
    ...rows.map(({ row }) => row),
  ].join('\n');
}

function nameList(title: string, theirs: readonly string[], ours: readonly string[]): string {
  const missing = theirs.filter((name) => !ours.includes(name));
  const have = theirs.length - missing.length;
  const rest = missing.length === 0 ? '' : ` Missing: ${missing.join(', ')}.`;
  return `### ${title}: ${have} of ${theirs.length}\n\n${theirs.filter((name) => ours.includes(name)).join(', ')}.${rest}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, compatPage());
