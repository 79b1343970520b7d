/**
 * Our side of bench/compare.ts: reads a task a line, answers with what it took.
 *
 *   ours.ts SIZE CONTEXT VECTOR CHECKPOINT LORA CONTROLNET [DEVICE]      (VECTOR 1: with a vector condition)
 *
 * DEVICE: a `BenchDevice` as JSON; left out: the processor.
 */
import { createInterface } from 'node:readline';
import { zeros } from '../../engine/array/nd.ts';
import { families } from '../../engine/arch/families/index.ts';
import { defaultVram, deviceBudget } from '../../engine/runtime/devices/budget.ts';
import type { Device } from '../../engine/runtime/devices/device.ts';
import { precisionsOf } from '../../engine/runtime/precision.ts';
import { type Runtime, createRuntime } from '../../engine/runtime/runtime.ts';
import type { ConditioningEntry } from '../../engine/sampling/conditioning.ts';
import { TorchGenerator } from '../../engine/sampling/noise/torch-generator.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { withControl } from '../../engine/values/control.ts';
import { type Checkpoint, loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { loadControlNet } from '../../engine/values/load-control.ts';
import { openLora, withLora } from '../../engine/values/lora.ts';
import { type Model, diffusion } from '../../engine/values/model.ts';
import { decode } from '../../engine/values/vae.ts';

const [size, width, vector] = process.argv.slice(2, 5).map(Number);
const [checkpoint, lora, controlNet, onDevice] = process.argv.slice(5);

/** What a side is told of the device that its process sees. */
export interface BenchDevice {
  readonly device: Pick<Device, 'id' | 'kind' | 'precisions' | 'memory' | 'inSteps'>;
  /** Left out: the device's own. */
  readonly precision?: string;
}

function runtimeOn({ device, precision }: BenchDevice): Runtime {
  const names = precision === undefined ? [] : [precision];
  const { rowFor } = precisionsOf(device, { all: { names } });
  return createRuntime({ rowFor, memoryBudget: deviceBudget(device, defaultVram) });
}
const runtime =
  onDevice === undefined ? createRuntime() : runtimeOn(JSON.parse(onDevice) as BenchDevice);

/** What is made by the first that asks. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
const files = once((): Promise<Checkpoint> => loadCheckpoint(checkpoint, families));
const loraFile = once(() => openLora(lora));
const net = once(() => loadControlNet(controlNet));
const picture = zeros([1, 8 * size, 8 * size, 3]);
const text: ConditioningEntry = { cross: zeros([1, 77, width]) };

/** Two rows through the network. */
const step = (model: Model, entry = text): Promise<unknown> =>
  diffusion(model, { runtime }).apply({
    x: zeros([2, 4, size, size]),
    timesteps: Float32Array.of(500, 500),
    cond: {
      cross: zeros([2, 77, width]),
      ...(vector > 0 ? { pooled: zeros([2, 1280]), numbers: zeros([2, 6]) } : {}),
    },
    sigma: 2,
    parts: [{ list: 0, entry }],
    run: {
      state: new Map(),
      generator: () => new TorchGenerator(0),
      sigmas: Float32Array.of(1, 0),
    },
  });

const encoded = async (prompt: string): Promise<unknown> =>
  encodePrompt((await files()).clip, prompt, {
    runtime,
    folders: { embedding: () => undefined, vocabulary: () => undefined },
  });

const tasks: Readonly<Record<string, (value: number) => Promise<unknown>>> = {
  open: files,
  clip: (value) => encoded(`a photograph of a lighthouse at dawn ${value}`),
  emphasis: (value) => encoded(`a (photograph:1.2) of a lighthouse at dawn ${value}`),
  step: async () => step((await files()).model),
  lora: async (strength) => {
    const { model } = await files();
    const strengths = { model: strength, clip: 0 };
    return step(withLora({ model, clip: null }, await loraFile(), strengths, console.error).model);
  },
  control: async (strength) => {
    const application = { net: await net(), image: picture, startPercent: 0, endPercent: 1 };
    const [[entry]] = withControl([[text]], { ...application, strength });
    return step((await files()).model, entry);
  },
  decode: async () => decode((await files()).vae, zeros([1, 4, size, size]), { runtime }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [task, value] = line.trim().split(' ');
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  try {
    await tasks[task](Number(value));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
    continue;
  }
  const { user, system } = process.cpuUsage(cpu);
  const answer = {
    wall: performance.now() - began,
    cpu: (user + system) / 1000,
    // mapped files in memory are part of what is resident
    peak: process.resourceUsage().maxRSS * 1024,
  };
  console.log(JSON.stringify(answer));
}
