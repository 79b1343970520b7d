/**
 * Asks once whether this machine has an adapter for the WebGPU provider, and tells the tests
 * (`adapter.ts`); says so where it has none, for they are skipped then.
 */
import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Precisions that run on an adapter of this machine. */
    precisions: readonly string[];
  }
}

export default function setup(project: TestProject): void {
  const probe = new URL('probe.ts', import.meta.url).pathname;
  const loader = new URL('../../bin/typescript.js', import.meta.url).href;
  const env = { ...process.env, ...project.config.env };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', loader, probe], {
    encoding: 'utf8',
    env,
  });
  const failures: Readonly<Record<string, string | null>> =
    status === 0
      ? (JSON.parse(stdout) as Record<string, string | null>)
      : { 'any precision': stderr.trim() };
  const missing = Object.entries(failures).filter(([, reason]) => reason !== null);
  if (missing.length > 0) {
    const whose = missing.map(([precision]) => precision).join(' and ');
    const reason = missing[0][1]!.split('. ').at(-1);
    process.stderr.write(`gpu tests in ${whose} are skipped, no adapter runs them: ${reason}\n`);
  }
  project.provide(
    'precisions',
    Object.keys(failures).filter((precision) => failures[precision] === null),
  );
}
