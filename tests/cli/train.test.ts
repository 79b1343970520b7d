import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunJob, type TrainFlags, trainCommand } from '../../cli/train.ts';
import { NoodleError } from '../../engine/errors.ts';

let dir: string;
let out: string[];
let err: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'noodle-train-'));
  [out, err] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void err.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

const job = (name: string, more = ''): string => {
  const file = join(dir, `${name}.yaml`);
  writeFileSync(
    file,
    `job: extension
config:
  name: ${name}
  process:
    - type: sd_trainer
      training_folder: output
      network: {}
      model: {name_or_path: tiny.safetensors}
      datasets: [{folder_path: '[name]'}]
${more}`,
  );
  return `${name}.yaml`;
};

async function train(
  files: readonly string[],
  run: RunJob,
  flags: TrainFlags = {},
): Promise<{ code: number; text: string }> {
  const code = await trainCommand(files, flags, { cwd: dir, environment: {}, run });
  return { code, text: out.join('\n') };
}

/** A job that Ctrl-C finds running. */
const interrupted: RunJob = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new NoodleError('INTERRUPTED')));
    process.emit('SIGINT');
  });

const fails: RunJob = async () => {
  throw new NoodleError('UNSUPPORTED', { what: 'no such model' });
};

describe('noodle train', () => {
  it('runs jobs in turn', async () => {
    const names: string[] = [];
    const { code, text } = await train([job('fox'), job('cat')], async ({ name, datasets }) => {
      names.push(`${name} ${datasets[0].folderPath}`);
    });
    expect(code).toBe(0);
    expect(names).toEqual([`fox ${join(dir, 'fox')}`, `cat ${join(dir, 'cat')}`]);
    expect(text).toMatch(/^Running 2 jobs\n\n=+\nResult:\n - 2 completed jobs\n=+$/);
  });

  it('gives the run another name', async () => {
    let name = '';
    await train([job('fox')], async (one) => void (name = one.name), { name: 'wolf' });
    expect(name).toBe('wolf');
  });

  it('says what is done in place of what was asked for, and what means nothing', async () => {
    const more = '      train: {dtype: bf16}\n      stepz: 1\n';
    const { text } = await train([job('fox', more)], async () => undefined);
    expect(text).toContain('train.dtype: bf16 -> fp32 (computed in fp32)');
    expect(err).toEqual(['warning: stepz: unknown key']);
  });

  it('ends at the first failure, or goes on', async () => {
    const files = [job('fox'), job('cat')];
    const first = await train(files, fails);
    expect(first.code).toBe(1);
    expect(err).toEqual(['Error running job: no such model']);
    expect(first.text).toContain('Result:\n - 0 completed jobs\n - 1 failure\n');
    out.length = 0;
    const all = await train(
      files,
      async (one, signal) => {
        if (one.name === 'fox') await fails(one, signal);
      },
      { recover: true },
    );
    expect(all.code).toBe(1);
    expect(all.text).toContain(' - 1 completed job\n - 1 failure\n');
  });

  it('fails before anything runs where a file cannot be read', async () => {
    const run = vi.fn<RunJob>();
    expect((await train(['none.yaml'], run)).code).toBe(1);
    expect((await train([job('fox', '      train: {steps: x}\n')], run)).code).toBe(1);
    expect(run).not.toHaveBeenCalled();
    expect(err[0]).toContain("job file 'none.yaml' was not found");
    expect(err[1]).toBe(
      'Error running job: fox.yaml: train.steps: expected a whole number from 1 to 999999999, got x',
    );
  });

  it('stops at Ctrl-C, which is no failure', async () => {
    const run = vi.fn<RunJob>(interrupted);
    const { code, text } = await train([job('fox'), job('cat')], run);
    expect([code, run.mock.calls.length]).toEqual([0, 1]);
    expect(text).toContain('Job stopped');
    expect(text).toContain('Result:\n - 0 completed jobs\n=');
  });

  it('stops one job of several at Ctrl-C when it is to go on', async () => {
    const run = vi.fn<RunJob>((one, signal) =>
      one.name === 'fox' ? interrupted(one, signal) : Promise.resolve(),
    );
    const { code, text } = await train([job('fox'), job('cat')], run, { recover: true });
    expect([code, run.mock.calls.length]).toEqual([1, 2]);
    expect(text).toContain(' - 1 completed job\n - 1 failure');
  });

  it('adds what it prints to a log', async () => {
    for (const [stream, name] of [
      [process.stdout, 'log'],
      [process.stderr, 'error'],
    ] as const) {
      vi.spyOn(stream, 'write').mockReturnValue(true);
      vi.spyOn(console, name).mockImplementation((text: string) => void stream.write(`${text}\n`));
    }
    const log = join(dir, 'logs/new/train.log');
    await train([job('fox')], async () => undefined, { log });
    await train([job('fox')], fails, { log });
    process.stdout.write('later');
    vi.restoreAllMocks();
    expect(existsSync(log)).toBe(true);
    const text = readFileSync(log, 'utf8');
    expect(text.match(/Running 1 job/g)).toHaveLength(2);
    expect(text).toContain('Error running job: no such model');
    expect(text).not.toContain('later');
  });
});
