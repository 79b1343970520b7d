/** How much of the first GPU's memory is taken, as its driver says. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface MemoryWatch {
  /** Most bytes that were taken since the watch began, beyond what was taken then; undefined: nobody says. */
  readonly most: () => number | undefined;
  readonly stop: () => void;
}

const interval = 100;
const smi = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '--id=0'];

/** Watches the memory of an NVIDIA card (nvidia-smi) or of one with Linux's amdgpu driver. */
export function watchMemory(): MemoryWatch {
  let first: number | undefined;
  let most = 0;
  const hear = (bytes: number): void => {
    first ??= bytes;
    most = Math.max(most, bytes);
  };
  const stop = watchAmd(hear) ?? watchNvidia(hear);
  return { most: () => (first === undefined ? undefined : most - first), stop };
}

function watchNvidia(hear: (bytes: number) => void): () => void {
  const child = spawn('nvidia-smi', [...smi, `--loop-ms=${interval}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.on('error', () => undefined); // there is none: nothing is heard
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^\d+$/.test(line.trim())) hear(Number(line) * 2 ** 20);
  });
  return () => void child.kill();
}

const cards = '/sys/class/drm';

function watchAmd(hear: (bytes: number) => void): (() => void) | undefined {
  const names = existsSync(cards) ? readdirSync(cards) : [];
  const file = names
    .map((name) => `${cards}/${name}/device/mem_info_vram_used`)
    .find((path) => existsSync(path));
  if (file === undefined) return undefined;
  const look = (): void => hear(Number(readFileSync(file, 'utf8')));
  look();
  const timer = setInterval(look, interval);
  return () => clearInterval(timer);
}
