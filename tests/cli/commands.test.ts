/** The command itself, as a process. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

function noodle(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const command = [join(root, 'bin/noodle.js'), ...args];
    execFile(process.execPath, command, { cwd: root }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

describe('noodle', () => {
  it('prints version and help', async () => {
    expect((await noodle('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await noodle()).out).toContain('Usage: noodle');
    expect((await noodle('run', '--help')).out).toContain('--set');
    expect((await noodle('train', '--help')).out).toContain('--recover');
  });

  it('explains wrong usage with exit code 2', async () => {
    expect(await noodle('dance')).toMatchObject({ code: 2, out: '' });
    const missing = await noodle('run', 'no-such-file.json');
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("workflow 'no-such-file.json' was not found");
    expect((await noodle('train')).err).toContain("missing required argument 'jobs'");
    expect((await noodle('run')).err).toContain("missing required argument 'workflow'");
  });

  it('describes the embedded checkpoint', async () => {
    const { code, out } = await noodle(
      'info',
      '--json',
      'models/checkpoints/tiny-scenes.safetensors',
    );
    expect(code).toBe(0);
    const info = JSON.parse(out) as Record<string, unknown>;
    expect(info).toMatchObject({ family: 'Stable Diffusion 1.x', tensors: 536 });
    expect((info.parts as { name: string }[]).map(({ name }) => name).sort()).toEqual([
      'autoencoder',
      'diffusion model',
      'text encoders',
    ]);
  });

  it('refuses what is no safetensors file', async () => {
    const { code, err } = await noodle('info', 'package.json');
    expect(code).toBe(1);
    expect(err).toContain('package.json: not a valid safetensors file');
  });
});
