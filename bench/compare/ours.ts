/** Our side of bench/compare.ts: reads a task a line, answers with what it took. `ours.ts CHECKPOINT SIZE` */
import { createInterface } from 'node:readline';
import { zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { TorchGenerator } from '../../engine/sampling/noise/torch-generator.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { type Checkpoint, loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { diffusion } from '../../engine/values/model.ts';
import { decode } from '../../engine/values/vae.ts';

const [, , checkpoint, side] = process.argv;
const size = Number(side);
const runtime = createRuntime();
let loaded: Promise<Checkpoint> | undefined;
const files = (): Promise<Checkpoint> => (loaded ??= loadCheckpoint(checkpoint, families));

const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
  open: files,
  clip: async () =>
    encodePrompt((await files()).clip, 'a photograph of a lighthouse at dawn', {
      runtime,
      folders: { embedding: () => undefined },
    }),
  step: async () =>
    diffusion((await files()).model, { runtime }).apply({
      x: zeros([2, 4, size, size]),
      timesteps: Float32Array.of(500, 500),
      cond: { cross: zeros([2, 77, 768]) },
      sigma: 2,
      parts: [{ list: 0, entry: { cross: zeros([1, 77, 768]) } }],
      run: {
        state: new Map(),
        generator: () => new TorchGenerator(0),
        sigmas: Float32Array.of(1, 0),
      },
    }),
  decode: async () => decode((await files()).vae, zeros([1, 4, size, size]), { runtime }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  await tasks[line.trim()]();
  const { user, system } = process.cpuUsage(cpu);
  const answer = {
    wall: performance.now() - began,
    cpu: (user + system) / 1000,
    // mapped files in memory are part of what is resident
    peak: process.resourceUsage().maxRSS * 1024,
  };
  console.log(JSON.stringify(answer));
}
