/** `noodle compare`: a workflow computed in several ways, on devices or in precisions, side by side. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { NoodleError } from '../engine/errors.ts';
import { interruptible } from './interruptible.ts';
import { createLocalRunner } from './local-engine.ts';
import { safeText, table } from './print.ts';
import { exitCode, explain, readAsked, reportOf } from './run.ts';
import type { RunResult, Runner } from './runner.ts';
import { likeness, readPicture, sideBySide } from './side-by-side.ts';

export interface CompareFlags {
  readonly device?: readonly string[];
  readonly precision?: readonly string[];
  readonly runs?: string;
  readonly set?: readonly string[];
  readonly seed?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** One way to compute the workflow. */
export interface Side {
  /** For people: `cpu, int8`. */
  readonly name: string;
  /** As flags of `noodle serve`. */
  readonly flags: readonly string[];
}

interface Picture {
  /** The file with all of them in it; none where their sizes differ. */
  readonly together: string | undefined;
  /** A file for each side. */
  readonly files: readonly string[];
  /** Of each side to the first, in dB; null where they are equal or of different sizes. */
  readonly psnr: readonly (number | null)[];
  readonly sameSize: boolean;
}

/** Keeps no results between runs, so that the later ones compute too. */
const EVERY_RUN = ['--cache-none'];

/**
 * Runs the workflow on each side in an engine of its own, one after the other, writes the pictures
 * and prints times and PSNR. Answers as `noodle run` does. Throws BAD_INPUT where nothing is to compare.
 */
export async function compareCommand(
  file: string,
  flags: CompareFlags,
  engineFlags: readonly string[],
): Promise<number> {
  const sides = sidesOf(flags);
  const times = runsOf(flags.runs);
  const log = (text: string): void => void (flags.quiet || console.error(safeText(text)));
  const folder = await mkdtemp(join(tmpdir(), 'noodle-compare-'));
  const runners: Runner[] = [];
  try {
    // Flags of a later side that cannot be used are told before the first one runs.
    for (const [i, side] of sides.entries()) {
      const out = join(folder, String(i));
      runners.push(
        await createLocalRunner({ flags: [...engineFlags, ...side.flags, ...EVERY_RUN], log, out }),
      );
    }
    const { prompt, workflow } = await readAsked(file, flags, runners[0]);
    return await interruptible(async (signal) => {
      const results: RunResult[] = [];
      for (const [i, { name }] of sides.entries()) {
        log(`${name}:`);
        const report = reportOf(prompt, { quiet: flags.quiet });
        const options = { workflow, times, signal, onEvent: report.event };
        const result = await runners[i].run(prompt, options).finally(report.end);
        if (result.status !== 'success') {
          explain(`${file} (${name})`, prompt, result);
          return exitCode(result);
        }
        results.push(result);
      }
      const pictures = await gather(sides, results, resolve(flags.out ?? 'compare'));
      print(sides, results, pictures, flags);
      return pictures.length > 0 ? exitCode(results[0]) : 1;
    });
  } finally {
    for (const runner of runners) await runner.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What the flags compare: `--device` and `--precision` in turn; one that is given once holds for all.
 * Throws BAD_INPUT for fewer than two sides, and where it is not said what belongs together.
 */
export function sidesOf({ device = [], precision = [] }: CompareFlags): Side[] {
  const counts = [device.length, precision.length];
  const count = Math.max(...counts);
  if (count < 2) {
    const expected =
      'two or more times --device, or --precision (--precision fp32 --precision int8)';
    throw new NoodleError('BAD_INPUT', { subject: 'noodle compare', expected, got: count });
  }
  if (counts.some((given) => given > 1 && given < count)) {
    const expected = '--device and --precision equally often, or one of them once for all';
    throw new NoodleError('BAD_INPUT', {
      subject: 'noodle compare',
      expected,
      got: counts.join(' and '),
    });
  }
  const pick = (list: readonly string[], i: number): string | undefined =>
    list.length === 1 ? list[0] : list[i];
  return Array.from({ length: count }, (_, i) => {
    const given = { '--device': pick(device, i), '--precision': pick(precision, i) };
    const used = Object.entries(given).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return { name: used.map(([, value]) => value).join(', '), flags: used.flat() };
  });
}

function runsOf(text = '2'): number {
  const runs = Number(text);
  if (/^\d+$/.test(text) && runs >= 1 && runs <= 100) return runs;
  throw new NoodleError('BAD_INPUT', {
    subject: '--runs',
    expected: 'a number from 1 to 100',
    got: text,
  });
}

/** Copies what belongs together under one number: `00001.cpu-int8.png`, and `00001.png` with all of them. */
async function gather(
  sides: readonly Side[],
  results: readonly RunResult[],
  out: string,
): Promise<Picture[]> {
  const counts = results.map(({ files }) => files.length);
  if (new Set(counts).size > 1) {
    const expected = 'as many files from every side';
    throw new NoodleError('BAD_INPUT', {
      subject: 'noodle compare',
      expected,
      got: counts.join(', '),
    });
  }
  await mkdir(out, { recursive: true });
  const pictures: Picture[] = [];
  for (let n = 0; n < counts[0]; n++) {
    const sources = results.map(({ files }) => files[n]);
    const name = String(n + 1).padStart(5, '0');
    const files = sides.map((side, i) =>
      join(out, `${name}.${side.name.replace(/[^\w.]+/g, '-')}${extname(sources[i])}`),
    );
    await Promise.all(sources.map((source, i) => copyFile(source, files[i])));
    const picture = await compareFiles(files, join(out, `${name}.png`));
    if (picture) pictures.push(picture);
    else console.error(`${safeText(files.join(', '))}: no pictures, not compared`);
  }
  return pictures;
}

/** Undefined for files that are no pictures. */
async function compareFiles(
  files: readonly string[],
  together: string,
): Promise<Picture | undefined> {
  try {
    const pixels = await Promise.all(files.map(readPicture));
    const all = await sideBySide(pixels);
    if (all) await writeFile(together, all);
    const psnr = pixels.map((other) => likeness(pixels[0], other) ?? null);
    return {
      together: all && together,
      files,
      psnr: psnr.map((value) => (value === Infinity ? null : value)),
      sameSize: all !== undefined,
    };
  } catch (error) {
    if (error instanceof NoodleError && error.code === 'IMAGE_FILE') return undefined;
    throw error;
  }
}

function print(
  sides: readonly Side[],
  results: readonly RunResult[],
  pictures: readonly Picture[],
  { json }: CompareFlags,
): void {
  if (json) {
    const timed = sides.map(({ name }, i) => ({ name, seconds: results[i].seconds }));
    console.log(JSON.stringify({ sides: timed, pictures }));
    return;
  }
  const runs = results[0].seconds?.length ?? 0;
  const head = ['', ...Array.from({ length: runs }, (_, i) => (i === 0 ? 'first run' : 'again'))];
  const rows = sides.map(({ name }, i) => [
    safeText(name),
    ...(results[i].seconds ?? []).map((seconds) => `${seconds.toFixed(2)} s`),
  ]);
  console.log(table([head, ...rows]));
  if (pictures.length === 0) return;
  const others = sides
    .slice(1)
    .map(({ name }) => `${safeText(name)} to ${safeText(sides[0].name)}`);
  console.log(`\n${table([['', ...others], ...pictures.map(pictureRow)])}`);
}

function pictureRow({ together, files, psnr, sameSize }: Picture): string[] {
  if (!sameSize) return [safeText(files.join(', ')), 'of different sizes'];
  const figures = psnr
    .slice(1)
    .map((value) => (value === null ? 'equal' : `${value.toFixed(1)} dB`));
  return [safeText(together ?? ''), ...figures];
}
