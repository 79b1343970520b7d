/**
 * Networks of full size on a GPU, beside PyTorch in half precision where the reference is there. In one call:
 *
 *   npm install
 *   npm run bench:gpu -- [--device webgpu] [--device cuda] [--precision fp16] [--models sd15,sdxl] [--rounds 10]
 *                        [--minutes 9] [--tiny] [--json FILE] [--reference FOLDER] [--python python3]
 *
 * For SD1.5 at 512² and SDXL at 1024²: the first step (which opens the network), iterations per second (a
 * step with and without the text in one call, as sampling makes them), the first and the next decoding of a
 * picture, and the most memory of the first card. Weights are random numbers (written once to the temporary
 * folder, 2 and 7 GB). Left out, devices are webgpu and cuda, chosen as `noodle serve --device` chooses. What
 * is missing or fails is said in its row; what does not come to an end in the minutes is left out. --tiny: the
 * tiny model of the repository, to try the script itself; the reference does not know it.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseDevices } from '../engine/runtime/devices/choose.ts';
import { processorName } from '../engine/processor.ts';
import { createInventory } from '../engine/runtime/devices/list.ts';
import { TYPESCRIPT } from '../engine/threads.ts';
import type { BenchDevice } from './compare/ours.ts';
import { type Side, type Taken, startSide } from './compare/side.ts';
import { watchMemory } from './gpu-memory.ts';
import { subjectOf } from './gpu-subjects.ts';

const here = import.meta.dirname;

/** Times in milliseconds, memory in bytes. */
interface Figures {
  readonly firstStep: number;
  readonly step: number;
  readonly iterationsPerSecond: number;
  readonly firstDecode: number;
  readonly decode: number;
  readonly deviceMemory?: number;
  readonly hostMemory: number;
}

interface Row {
  readonly model: string;
  readonly on: string;
  readonly figures?: Figures;
  readonly failed?: string;
}

const { values } = parseArgs({
  options: {
    device: { type: 'string', multiple: true, default: ['webgpu', 'cuda'] },
    precision: { type: 'string' },
    models: { type: 'string', default: 'sd15,sdxl' },
    rounds: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '9' },
    tiny: { type: 'boolean', default: false },
    json: { type: 'string' },
    reference: { type: 'string', default: process.env.NOODLE_REFERENCE },
    python: { type: 'string', default: 'python3' },
  },
});
const { reference } = values;
const rounds = Number(values.rounds);
const end = Date.now() + Number(values.minutes) * 60_000;
const inventory = createInventory();

/** Our own side on the device of this name. */
async function startOurs(name: string, given: readonly string[]): Promise<Side> {
  const [{ environment, ...device }] = await chooseDevices([name], inventory);
  const asked: BenchDevice = {
    device,
    precision: values.precision,
  };
  const ours = join(here, 'compare/ours.ts');
  const args = ['--import', TYPESCRIPT, ours, ...given, JSON.stringify(asked)];
  return startSide(process.execPath, args, { env: environment });
}

const least = (taken: readonly Taken[]): number => Math.min(...taken.map(({ wall }) => wall));

/** Steps and decodings of one side, which ends with it. */
async function measure(side: Side): Promise<Figures> {
  const memory = watchMemory();
  const ask = (task: string): Promise<Taken> => side.ask(task, end - Date.now());
  const repeat = async (task: string, times: number): Promise<Taken[]> => {
    const taken: Taken[] = [];
    while (taken.length < times) taken.push(await ask(task));
    return taken;
  };
  try {
    await ask('open');
    const firstStep = await ask('step');
    const step = least(await repeat('step', rounds));
    const firstDecode = await ask('decode');
    const decoded = await repeat('decode', Math.min(rounds, 3));
    const { peak, device } = decoded[decoded.length - 1];
    return {
      firstStep: firstStep.wall,
      step,
      iterationsPerSecond: 1000 / step,
      firstDecode: firstDecode.wall,
      decode: least(decoded),
      deviceMemory: device ?? memory.most(),
      hostMemory: peak,
    };
  } finally {
    await side.end();
    memory.stop();
  }
}

const rows: Row[] = [];

/** Adds a row, which says what failed when something did. */
async function add(model: string, on: string, start: () => Promise<Side>): Promise<void> {
  console.error(`${model}: ${on}`);
  try {
    rows.push({ model, on, figures: await measure(await start()) });
  } catch (error) {
    rows.push({ model, on, failed: error instanceof Error ? error.message : String(error) });
  }
}

const installed = reference !== undefined && existsSync(join(reference, 'comfy'));
for (const subject of (values.tiny ? 'tiny' : values.models).split(',').map(subjectOf)) {
  const { title, size, context, vector } = subject;
  const sizes = [String(size), String(context), vector === undefined ? '0' : '1'];
  const given = [...sizes, await subject.checkpoint(), '', ''];
  for (const name of values.device) {
    const on = values.precision === undefined ? name : `${name} in ${values.precision}`;
    await add(title, on, () => startOurs(name, given));
  }
  if (!installed || values.tiny) continue;
  const script = [join(here, 'compare/reference.py'), 'gpu', ...given];
  await add(title, 'PyTorch', async () => startSide(values.python, script, { cwd: reference }));
}

const found = (await Promise.all([inventory.webgpu(), inventory.cuda()])).flatMap((of) =>
  of.devices.map(({ id, name }) => `${id} ${name}`),
);
console.log([...found, processorName(), `Node ${process.version}`].join('; '));
if (!installed) console.log('Without the reference (--reference): PyTorch is left out.');
console.log('| | on | first step, s | it/s | first decode, s | decode, s | device memory, GB |');
console.log('|---|---|---|---|---|---|---|');
const inSeconds = (ms: number): string => (ms / 1000).toFixed(2);
for (const { model, on, figures, failed = '' } of rows) {
  const cells = figures
    ? [
        inSeconds(figures.firstStep),
        figures.iterationsPerSecond.toFixed(2),
        inSeconds(figures.firstDecode),
        inSeconds(figures.decode),
        figures.deviceMemory === undefined ? '?' : (figures.deviceMemory / 1e9).toFixed(2),
      ]
    : [failed.replace(/\s+/g, ' ').slice(0, 300), '', '', '', ''];
  console.log(`| ${[model, on, ...cells].join(' | ')} |`);
}
const json = JSON.stringify({ devices: found, node: process.version, rows }, null, 2);
if (values.json === undefined) console.log(json);
else writeFileSync(values.json, `${json}\n`);
