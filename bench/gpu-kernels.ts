/**
 * What a GPU spends its time on: kernels of the WebGPU provider and their milliseconds a run, by its own profile.
 *
 *   node --import ./bin/typescript.js bench/gpu-kernels.ts [--model tiny|sd15|sdxl] [--task step|decode]
 *                                                          [--precision fp16] [--steps] [--most 40]
 *
 * --steps: attention in steps, as on drivers that compute the fused one wrongly. Measuring costs time itself:
 * whole runs are for bench/gpu.ts.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { zeros } from '../engine/array/nd.ts';
import { families } from '../engine/arch/families/index.ts';
import { precisionsOf } from '../engine/runtime/precision.ts';
import { createRuntime } from '../engine/runtime/runtime.ts';
import { TorchGenerator } from '../engine/sampling/noise/torch-generator.ts';
import { loadCheckpoint } from '../engine/values/load-checkpoint.ts';
import { diffusion } from '../engine/values/model.ts';
import { decode } from '../engine/values/vae.ts';
import { subjectOf } from './gpu-subjects.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'sd15' },
    task: { type: 'string', default: 'step' },
    precision: { type: 'string', default: 'fp16' },
    steps: { type: 'boolean', default: false },
    most: { type: 'string', default: '40' },
  },
});
const runs = 4;
const folder = mkdtempSync(join(tmpdir(), 'noodle-kernels-'));
const profiling = { enableProfiling: true, profileFilePrefix: join(folder, 'profile') };

const device = { id: 'webgpu:0', kind: 'webgpu', inSteps: values.steps } as const;
const { rowFor } = precisionsOf(device, { all: { names: [values.precision] } });
const runtime = createRuntime({
  memoryBudget: Infinity,
  rowFor: (needs) => {
    const { provider } = rowFor(needs);
    return { provider: { ...provider, session: { ...provider.session, options: profiling } } };
  },
});
const { size, context, vector, checkpoint } = subjectOf(values.model);
const files = await loadCheckpoint(await checkpoint(), families);

const step = (): Promise<unknown> =>
  diffusion(files.model, { runtime }).apply({
    x: zeros([2, 4, size, size]),
    timesteps: Float32Array.of(500, 500),
    cond: {
      cross: zeros([2, 77, context]),
      ...(vector === undefined ? {} : { pooled: zeros([2, 1280]), numbers: zeros([2, 6]) }),
    },
    sigma: 2,
    parts: [{ list: 0, entry: { cross: zeros([1, 77, context]) } }],
    run: {
      state: new Map(),
      generator: () => new TorchGenerator(0),
      sigmas: Float32Array.of(1, 0),
    },
  });
const picture = (): Promise<unknown> => decode(files.vae, zeros([1, 4, size, size]), { runtime });
for (let run = 0; run < runs; run++) await (values.task === 'decode' ? picture : step)();
await runtime.unloadAll(); // writes the profile

interface Event {
  readonly cat: string;
  /** Node & operator & kernel. */
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly shapes?: string };
}

const [profile] = readdirSync(folder);
const events = (JSON.parse(readFileSync(join(folder, profile), 'utf8')) as Event[]).filter(
  ({ cat, args }) => cat === 'Api' && args?.shapes !== undefined,
);
rmSync(folder, { recursive: true });
const kernelOf = ({ name }: Event): string => name.split('&').slice(1).join(' ');

/** Calls and milliseconds a run, those that take most first. */
function print(title: string, nameOf: (event: Event) => string): void {
  const sums = new Map<string, { calls: number; time: number }>();
  for (const event of events) {
    const sum = sums.get(nameOf(event)) ?? { calls: 0, time: 0 };
    sums.set(nameOf(event), { calls: sum.calls + 1, time: sum.time + event.dur / 1000 });
  }
  const sorted = [...sums].sort(([, a], [, b]) => b.time - a.time);
  const total = sorted.reduce((sum, [, { time }]) => sum + time, 0);
  console.log(`${title}: ${(total / runs).toFixed(1)} ms a run`);
  for (const [name, { calls, time }] of sorted.slice(0, Number(values.most))) {
    const milliseconds = (time / runs).toFixed(2).padStart(10);
    console.log(`${String(Math.round(calls / runs)).padStart(6)} ${milliseconds}  ${name}`);
  }
}
print('kernels', kernelOf);
print('by shapes (in fours)', (event) => `${kernelOf(event)} ${event.args!.shapes}`);
