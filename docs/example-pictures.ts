/**
 * Makes the pictures that the list of examples shows: runs every workflow of `workflows/` with the
 * bundled model and writes `workflows/pictures/<name>.webp`.
 * Run: node --import ./bin/typescript.js docs/example-pictures.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';

const root = new URL('../', import.meta.url).pathname;
const examples = join(root, 'workflows');
const pictures = join(examples, 'pictures');

/** The last picture that running a workflow writes. */
function run(workflow: string, folder: string): string {
  const flags = ['--out', folder, '--quiet', '--device', 'cpu'];
  execFileSync(process.execPath, [join(root, 'bin/noodle.js'), 'run', workflow, ...flags]);
  const files = readdirSync(folder).map((name) => join(folder, name));
  const last = files.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1);
  if (last === undefined) throw new Error(`${workflow}: wrote no picture`);
  return last;
}

mkdirSync(pictures, { recursive: true });
for (const file of readdirSync(examples).filter((name) => name.endsWith('.json'))) {
  const folder = mkdtempSync(join(tmpdir(), 'example-'));
  try {
    const to = join(pictures, `${basename(file, '.json')}.webp`);
    const made = sharp(run(join(examples, file), folder)).resize(256, 256, { kernel: 'cubic' });
    const { size } = await made.webp({ quality: 82 }).toFile(to);
    console.log(`${to}: ${size} bytes`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
