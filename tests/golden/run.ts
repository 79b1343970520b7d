/**
 * `npm run golden -- DIR... [--device KIND] [--precision NAME]`: runs every golden case found in the given folders and prints one line
 * per case. A folder is an area (its name is the area's), or holds areas as sub-folders; an area
 * folder of any other name is recognised when the command says `area=DIR`. `--device` (webgpu …) and
 * `--precision` compute the networks elsewhere, with tolerances of their own (device.ts).
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { CaseResult, GoldenArea } from './area.ts';
import { lookAtDevice, useDevice } from './device.ts';
import { removeUnpacked } from './open-case.ts';

interface Found {
  readonly name: string;
  readonly dir: string;
}

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const areasDir = join(import.meta.dirname, 'areas');

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { device: { type: 'string' }, precision: { type: 'string' } },
  });
  if (positionals.length === 0) {
    console.error('usage: npm run golden -- [area=]DIR... [--device KIND] [--precision NAME]');
    return 2;
  }
  useDevice(values.device ?? 'cpu', values.precision);
  await lookAtDevice();
  const found = positionals.flatMap(areasIn);
  const total: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, dir } of found) {
    const began = performance.now();
    const counts = await runFound(name, dir);
    if (!counts) continue;
    const seconds = (performance.now() - began) / 1000;
    console.log(`${name}: ${summary(counts)} in ${seconds.toFixed(1)} s`);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  console.log(summary(total));
  if (found.length === 0) console.error('no golden area was found in these folders');
  return total.failed > 0 || found.length === 0 ? 1 : 0;
}

/** The areas an argument names: itself when its folder name is one, else its sub-folders. */
function areasIn(argument: string): Found[] {
  const named = /^([\w-]+)=(.+)$/.exec(argument);
  if (named) return [{ name: named[1], dir: resolve(named[2]) }];
  const dir = resolve(argument);
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw new Error(`golden folder '${argument}' does not exist`);
  }
  const supported = (name: string): boolean => existsSync(join(areasDir, `${name}.ts`));
  if (supported(basename(dir))) return [{ name: basename(dir), dir }];
  const entries = readdirSync(dir, { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  if (folders.some(supported)) return folders.map((name) => ({ name, dir: join(dir, name) }));
  // Cases lie in it, so it is an area of a name that has no runner.
  if (entries.some((entry) => /\.(safetensors|json)$/.test(entry.name))) {
    return [{ name: basename(dir), dir }];
  }
  // Neither: sub-folders may hold areas one level down (…/public/noise, …/hidden/noise).
  return folders.flatMap((folder) => {
    const path = join(dir, folder);
    const areas = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && supported(entry.name))
      .map((entry) => ({ name: entry.name, dir: join(path, entry.name) }));
    return areas.length > 0 ? areas : [{ name: folder, dir: path }];
  });
}

/** Undefined when the area has no runner; an area that cannot even be listed counts as one failure. */
async function runFound(name: string, dir: string): Promise<Totals | undefined> {
  try {
    const area = await loadArea(name);
    if (area) return await runArea(area, dir);
    console.log(`not supported yet: area ${name} (${dir})`);
    return undefined;
  } catch (error) {
    console.log(`FAIL ${name}  ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function loadArea(name: string): Promise<GoldenArea | undefined> {
  const path = join(areasDir, `${name}.ts`);
  if (!existsSync(path)) return undefined;
  const module = (await import(path)) as { area: GoldenArea };
  return module.area;
}

async function runArea(area: GoldenArea, dir: string): Promise<Totals> {
  const counts: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const name of await area.list(dir)) {
    const label = `${area.name}/${name}`;
    try {
      report(label, await area.run(dir, name), counts);
    } catch (error) {
      counts.failed++;
      console.log(`FAIL ${label}  ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return counts;
}

function report(label: string, result: CaseResult, counts: Totals): void {
  if ('skip' in result) {
    counts.skipped++;
    console.log(`skip ${label}  ${result.skip}`);
    return;
  }
  const { comparisons } = result;
  // The comparison closest to (or furthest beyond) its bound speaks for the case.
  const worst = comparisons.reduce(
    (a, b) => (b.maxError / (b.tolerance || 1e-300) > a.maxError / (a.tolerance || 1e-300) ? b : a),
    comparisons[0] ?? { name: 'nothing compared', maxError: Infinity, tolerance: 0, pass: false },
  );
  const pass = comparisons.length > 0 && comparisons.every((comparison) => comparison.pass);
  const figures = `max error ${figure(worst.maxError)} (tolerance ${figure(worst.tolerance)})`;
  if (pass) {
    counts.passed++;
    console.log(`pass ${label}  ${figures}`);
    return;
  }
  counts.failed++;
  const failing = comparisons.filter((comparison) => !comparison.pass);
  console.log(`FAIL ${label}  ${figures}  ${failing.length} of ${comparisons.length} differ`);
  for (const { name, maxError, tolerance } of failing.slice(0, 5)) {
    console.log(`       ${name}: ${figure(maxError)} > ${figure(tolerance)}`);
  }
}

const figure = (value: number): string => (value === 0 ? '0' : value.toExponential(1));
const summary = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
} finally {
  await removeUnpacked();
}
