/** Ends a training run without asking, again and again, and looks whether it comes to what it would have been. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TEMPORARY } from '../../engine/store/write.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import {
  type Otherwise,
  lossesIn,
  makePictures,
  tinyJob,
} from '../../tests/support/tiny-training.ts';
import { type Random, createRandom } from '../fuzz/random.ts';

export interface KillTrainingOptions {
  readonly seed: number;
  /** How often the run is ended. */
  readonly kills: number;
  readonly steps: number;
  readonly onProgress?: (ended: number, how: string, step: number) => void;
}

export interface KillTrainingReport {
  /** One line for everything that must not happen. */
  readonly problems: readonly string[];
  /** How often it was ended, by the way. */
  readonly ended: Readonly<Record<string, number>>;
  readonly seconds: number;
}

const program = fileURLToPath(new URL('../../bin/noodle.js', import.meta.url));

/** Of everything that a run remembers something. */
const job = (steps: number): Otherwise => ({
  train: {
    ...{ steps, optimizer: 'prodigy', lr: 1, prompt_dropout_prob: 0.2 },
    ...{ gradient_accumulation_steps: 2, ema_config: { use_ema: true, ema_decay: 0.9 } },
  },
  save: { save_every: 3, dtype: 'bf16', max_step_saves_to_keep: 2 },
  datasets: [
    { flip_x: true, cache_latents_to_disk: true },
    { random_crop: true, buckets: false, resolution: 32, caption_dropout_rate: 0.2 },
  ],
});

/** Trains once undisturbed and once not; resolves with what was found. */
export async function killTraining(options: KillTrainingOptions): Promise<KillTrainingReport> {
  const { seed, kills, steps, onProgress } = options;
  const base = mkdtempSync(join(tmpdir(), 'noodle-kill-training-'));
  const random = createRandom(seed);
  const began = performance.now();
  const ended: Record<string, number> = {};
  const problems: string[] = [];
  try {
    const plain = await prepare(join(base, 'plain'), steps);
    const [code, seconds] = await finish(plain);
    if (code !== 0) throw new Error(`the undisturbed run ended with ${code}`);
    const step = lossesIn(plain.folder).at(-1)!.seconds;
    // each time it comes some steps further, and is not at its end before the last of them
    const life = { opening: seconds / 4, step, writes: 4 + Math.ceil((2 * steps) / kills) };
    const other = await prepare(join(base, 'ended'), steps);
    for (let i = 0; i < kills; i++) {
      const child = start(other);
      const exited = once(child, 'exit');
      const way = random.pick(Object.keys(ends));
      await Promise.race([exited, ends[way]({ child, folder: other.folder, random, life })]);
      await exited;
      const isWhole = child.exitCode === 0 && existsSync(join(other.folder, 'run.safetensors'));
      const how = isWhole ? 'not at all' : way;
      ended[how] = (ended[how] ?? 0) + 1;
      problems.push(...(await halves(other.folder)));
      onProgress?.(i + 1, how, lossesIn(other.folder).at(-1)?.step ?? 0);
      if (isWhole) break;
    }
    const [last] = await finish(other);
    if (last !== 0) problems.push(`the run ended with ${last}`);
    problems.push(...differences(plain.folder, other.folder));
    return { problems, ended, seconds: (performance.now() - began) / 1000 };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

interface Place {
  readonly base: string;
  readonly folder: string;
  readonly file: string;
}

async function prepare(base: string, steps: number): Promise<Place> {
  const folder = join(base, 'output', 'run');
  const file = join(base, 'job.json');
  mkdirSync(folder, { recursive: true });
  await makePictures(join(base, 'pictures'));
  writeFileSync(file, JSON.stringify(tinyJob(base, job(steps))));
  return { base, folder, file };
}

const start = ({ base, file }: Place): ChildProcess =>
  spawn(process.execPath, [program, 'train', file, '--device', 'cpu', '--threads', '1'], {
    cwd: base,
    stdio: 'ignore',
  });

/** Lets it run to its end: its exit code, and the seconds that it takes. */
async function finish(place: Place): Promise<[code: number | null, seconds: number]> {
  const began = performance.now();
  const [code] = (await once(start(place), 'exit')) as [number | null];
  return [code, (performance.now() - began) / 1000];
}

interface End {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly random: Random;
  /** How long it is left alone at most: in seconds until it steps, and in files written. */
  readonly life: { readonly opening: number; readonly step: number; readonly writes: number };
}

/** Ways to end a process. */
const ends: Readonly<Record<string, (end: End) => Promise<void>>> = {
  async 'while it opens'({ child, random, life }) {
    await sleep(1000 * life.opening * random.next());
    child.kill('SIGKILL');
  },
  async 'at any time'(end) {
    await writes(end);
    await sleep(1000 * end.life.step * 2 * end.random.next());
    end.child.kill('SIGKILL');
  },
  async 'in the middle of a write'(end) {
    await writes(end);
    end.child.kill('SIGKILL');
  },
  async 'by Ctrl-C'(end) {
    await writes(end);
    end.child.kill('SIGINT');
  },
};

/** Waits until one of the next files is being written. */
async function writes({ child, folder, random, life }: End): Promise<void> {
  const count = random.int(1, life.writes);
  const seen = new Set<unknown>();
  const begun = watch(folder);
  try {
    await new Promise<void>((resolve) => {
      begun.on('change', (_, name) => {
        if (TEMPORARY.test(String(name)) && seen.add(name).size === count) resolve();
      });
      child.once('exit', () => resolve());
    });
  } finally {
    begun.close();
  }
}

/** Files with a name that are not whole. */
async function halves(folder: string): Promise<string[]> {
  const problems: string[] = [];
  for (const name of readdirSync(folder).filter((one) => !TEMPORARY.test(one))) {
    const path = join(folder, name);
    try {
      if (name.endsWith('.safetensors')) await openSafetensors(path);
      if (name.endsWith('.json')) JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      problems.push(`${name} is not whole: ${String(error)}`);
    }
  }
  return problems;
}

/** What of two runs of the same job is not the same. */
function differences(plain: string, other: string): string[] {
  const names = readdirSync(plain).sort();
  const found = readdirSync(other).sort();
  if (found.join() !== names.join()) return [`there is ${found.join()}, not ${names.join()}`];
  const problems = names
    .filter((name) => name.endsWith('.safetensors'))
    .filter((name) => !readFileSync(join(plain, name)).equals(readFileSync(join(other, name))))
    .map((name) => `${name} has become another`);
  const [expected, got] = [plain, other].map((folder) =>
    lossesIn(folder).map(({ step, loss, rate }) => `${step}: ${loss} at ${rate}`),
  );
  if (got.join('\n') !== expected.join('\n')) {
    problems.push(`losses are ${got.join(', ')}, not ${expected.join(', ')}`);
  }
  if (!existsSync(join(other, 'run.safetensors'))) problems.push('there is no adapter');
  return problems;
}
