/** `noodle run` from the file to the picture, with the embedded checkpoint (a real engine process). */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPngText } from '../../engine/workflow/png-text.ts';

const root = join(import.meta.dirname, '../..');

const workflow = (steps: number): Record<string, unknown> => ({
  3: {
    class_type: 'KSampler',
    inputs: {
      seed: 5,
      steps,
      cfg: 4,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['6', 0],
      latent_image: ['5', 0],
    },
  },
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny-scenes.safetensors' } },
  5: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a star', clip: ['4', 1] } },
  8: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  9: { class_type: 'SaveImage', inputs: { filename_prefix: 'cli', images: ['8', 0] } },
});

let folder: string;
let base: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'noodle-cli-'));
  base = ['--base-directory', folder, '--models-directory', join(root, 'models'), '--threads', '2'];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command; `onError` sees what it has written to standard error so far. */
function run(
  prompt: unknown,
  args: readonly string[] = [],
  onError: (text: string, interrupt: () => void) => void = () => undefined,
): Promise<Ended> {
  const file = join(folder, 'workflow.json');
  writeFileSync(file, JSON.stringify(prompt));
  const child = spawn(process.execPath, [
    join(root, 'bin/noodle.js'),
    'run',
    file,
    ...['--device', 'cpu'],
    ...base,
    ...args,
  ]);
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
    onError(err, () => child.kill('SIGINT'));
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

describe('noodle run', () => {
  it('makes the picture, with the changed inputs in it', async () => {
    const out = join(folder, 'results');
    const {
      code,
      out: files,
      err,
    } = await run(workflow(2), [
      '--set',
      '6.text=a blue star',
      '--seed',
      '18446744073709551615',
      '--out',
      out,
    ]);
    expect(err).toContain('KSampler');
    expect(code).toBe(0);
    expect(files).toBe(`${join(out, 'cli_00001_.png')}\n`);
    const texts = await readPngText(readFileSync(join(out, 'cli_00001_.png')));
    expect(texts.get('prompt')).toContain('"text": "a blue star"');
    expect(texts.get('prompt')).toContain('18446744073709551615');
  });

  it('says which node is wrong and exits with 2', async () => {
    const prompt = workflow(2) as Record<string, { inputs: Record<string, unknown> }>;
    delete prompt['6'].inputs.clip;
    const { code, err } = await run(prompt);
    expect(code).toBe(2);
    expect(err).toContain('node 6 CLIPTextEncode: Required input is missing: clip');
  });

  it('ends in good order on Ctrl-C', async () => {
    let sent = false;
    const { code, err } = await run(workflow(10_000), [], (text, interrupt) => {
      if (sent || !text.includes('KSampler')) return;
      sent = true;
      interrupt();
    });
    expect(code).toBe(130);
    expect(err).toContain('interrupted');
    expect(readdirSync(folder)).not.toContain('results2');
  });
});
