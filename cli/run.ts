/** `noodle run`: a workflow from a file to files, with no server of its own. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { stringifyJson } from '../engine/workflow/lossless-json.ts';
import type { ApiPrompt } from '../engine/workflow/types.ts';
import { interruptible } from './interruptible.ts';
import { safeText } from './print.ts';
import { type ReadWorkflow, readWorkflowFile, readWorkflowText } from './read-workflow.ts';
import { type Report, createReport } from './report.ts';
import type { Complaint, RunResult, Runner } from './runner.ts';
import { setInputs, setSeed } from './set-inputs.ts';

export interface RunFlags {
  readonly set?: readonly string[];
  readonly seed?: string;
  readonly out?: string;
  readonly server?: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/**
 * Runs the workflow and prints the files it made, one a line, to standard output; everything else
 * goes to standard error. Answers 0, 1 (failed, or some outputs could not run), 2 (the workflow
 * cannot run at all) or 130 (interrupted).
 */
export async function runCommand(
  file: string,
  flags: RunFlags,
  engineFlags: readonly string[],
): Promise<number> {
  return interruptible((signal) => runHere(file, flags, engineFlags, signal));
}

async function runHere(
  file: string,
  flags: RunFlags,
  engineFlags: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const runner = await createRunner(flags, engineFlags);
  try {
    const { prompt, workflow } = await readAsked(file, flags, runner);
    const report = reportOf(prompt, flags);
    const result = await runner
      .run(prompt, { workflow, signal, onEvent: report.event })
      .finally(report.end);
    return conclude(file, prompt, result, flags);
  } finally {
    await runner.close();
  }
}

async function createRunner(flags: RunFlags, engineFlags: readonly string[]): Promise<Runner> {
  if (flags.server !== undefined) {
    const { createServerRunner } = await import('./remote-server.ts');
    return createServerRunner({
      url: flags.server,
      token: flags.token,
      out: resolve(flags.out ?? '.'),
    });
  }
  const { createLocalRunner } = await import('./local-engine.ts');
  return createLocalRunner({
    flags: engineFlags,
    log: (text) => {
      if (!flags.quiet) console.error(safeText(text));
    },
    out: flags.out === undefined ? undefined : resolve(flags.out),
  });
}

/** The workflow with the inputs and the seed that are asked for; on standard error what is worth knowing. */
export async function readAsked(
  file: string,
  { set = [], seed, quiet }: Pick<RunFlags, 'set' | 'seed' | 'quiet'>,
  runner: Pick<Runner, 'objectInfo' | 'savedWorkflow'>,
): Promise<ReadWorkflow> {
  const named = await readNamed(file, runner);
  const read = await setInputs(named, set, runner.objectInfo);
  const say = (text: string): void => void (quiet || console.error(text));
  if (seed !== undefined) {
    const used = setSeed(read.prompt, seed);
    if (seed === 'random') say(`seed ${used}`);
  }
  for (const warning of read.warnings) say(`warning: ${safeText(warning)}`);
  return read;
}

/** A file where there is one of this name, else a saved workflow. */
async function readNamed(
  name: string,
  { objectInfo, savedWorkflow }: Pick<Runner, 'objectInfo' | 'savedWorkflow'>,
): Promise<ReadWorkflow> {
  const saved = name === '-' || existsSync(name) ? undefined : await savedWorkflow(name);
  return saved === undefined
    ? readWorkflowFile(name, objectInfo)
    : readWorkflowText(name, saved, objectInfo);
}

/** Shows how far a run is. */
export const reportOf = (
  prompt: ApiPrompt,
  { json, quiet }: Pick<RunFlags, 'json' | 'quiet'>,
): Report =>
  createReport({
    style: json ? 'json' : quiet ? 'quiet' : process.stderr.isTTY ? 'bar' : 'lines',
    title: (id) => titleOf(prompt, id),
    nodeCount: Object.keys(prompt).length,
    stream: json ? process.stdout : process.stderr,
  });

function conclude(file: string, prompt: ApiPrompt, result: RunResult, flags: RunFlags): number {
  if (flags.json) {
    console.log(stringifyJson({ type: 'result', ...result }, { style: 'compact' }));
  } else {
    for (const path of result.files) console.log(safeText(path));
    for (const text of result.texts) console.log(safeText(text));
    explain(file, prompt, result);
  }
  return exitCode(result);
}

/** What the command answers with. */
export function exitCode({ status, complaints }: RunResult): number {
  switch (status) {
    case 'success':
      return complaints.length > 0 ? 1 : 0;
    case 'error':
      return 1;
    case 'invalid':
      return 2;
    case 'interrupted':
      return 130;
  }
}

const HEADLINES: Readonly<Record<RunResult['status'], string>> = {
  success: 'some outputs did not run:',
  error: 'failed:',
  invalid: 'cannot run:',
  interrupted: 'interrupted',
};

/** Says on standard error what went wrong, if anything did. */
export function explain(file: string, prompt: ApiPrompt, { status, complaints }: RunResult): void {
  if (status === 'success' && complaints.length === 0) return;
  console.error(`${safeText(file)}: ${HEADLINES[status]}`);
  for (const complaint of complaints)
    console.error(`  ${safeText(complaintLine(prompt, complaint))}`);
}

function complaintLine(prompt: ApiPrompt, { nodeId, text }: Complaint): string {
  const indented = text.replaceAll('\n', '\n    ');
  return nodeId === undefined ? indented : `node ${nodeId} ${titleOf(prompt, nodeId)}: ${indented}`;
}

/** A node's class and, where it has one, its title. */
function titleOf(prompt: ApiPrompt, id: string): string {
  const node = Object.hasOwn(prompt, id) ? prompt[id] : undefined;
  if (node === undefined) return id;
  const title = node._meta?.title;
  return title === undefined || title === node.class_type
    ? node.class_type
    : `${node.class_type} "${title}"`;
}
