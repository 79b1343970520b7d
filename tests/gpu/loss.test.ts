/** A device that is lost, or full: as it is heard through ONNX Runtime from a driver that fails when told to. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'noodle-driver-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The environment of a process with the failing driver; undefined where it cannot be built. */
function failingDriver(): Record<string, string> | undefined {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  if (named === undefined || process.platform !== 'linux') return undefined;
  const library = join(folder, 'libfailing.so');
  const source = join(import.meta.dirname, 'failing-driver.c');
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  if (built.status !== 0) return undefined;
  const { ICD } = JSON.parse(readFileSync(named, 'utf8')) as { ICD: Record<string, string> };
  const path = ICD.library_path;
  const real = path.startsWith('.') ? join(dirname(named), path) : path;
  const manifest = join(folder, 'failing.json');
  const text = { file_format_version: '1.0.0', ICD: { ...ICD, library_path: library } };
  writeFileSync(manifest, JSON.stringify(text));
  return { VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest, REAL_DRIVER: real };
}

const driver = inject('precisions').includes('fp32') ? failingDriver() : undefined;

describe.skipIf(driver === undefined)('a device that fails', () => {
  it('fails one run by its code, and serves the next', () => {
    const loader = new URL('../../bin/typescript.js', import.meta.url).href;
    const script = join(import.meta.dirname, 'failing-device.ts');
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', loader, script], {
      encoding: 'utf8',
      env: { ...process.env, ...driver },
    });
    expect(stdout, stderr).not.toBe('');
    expect(JSON.parse(stdout)).toEqual({
      before: 2048,
      full: 'OUT_OF_MEMORY',
      afterFull: 2048,
      lostByFull: false,
      lost: 'DEVICE_LOST',
      afterLost: 2048,
      lostByLoss: true,
    });
  });
});
