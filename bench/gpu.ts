/**
 * Networks of full size on a GPU, beside PyTorch in half precision where the reference is there. In one call:
 *
 *   npm install
 *   npm run bench:gpu -- [--device webgpu] [--device cuda] [--precision fp16] [--models sd15,sdxl] [--rounds 10]
 *                        [--minutes 9] [--tiny] [--json FILE] [--reference FOLDER] [--python python3]
 *
 * For SD1.5 at 512² and SDXL at 1024²: the first step (which opens the network), iterations per second (a
 * step with and without the text in one call, as sampling makes them), the first and the next decoding of a
 * picture, and the most memory of the device. Weights are random numbers (written once to the temporary
 * folder, 2 and 7 GB). Left out, devices are webgpu and, on Linux for x64, cuda, whose
 * libraries `npm run setup:cuda` downloads. What fails is said in its row; what does not come to an end in
 * the minutes is left out. --tiny: the tiny model of the repository, to try the script itself; the reference
 * does not know it.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, platform } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TYPESCRIPT } from '../engine/threads.ts';
import { type Side, type Taken, startSide } from './compare/side.ts';
import { deviceName, watchMemory } from './gpu-memory.ts';
import { randomSd15, sd15UNet } from './make-sd15.ts';
import { randomSdxl, sdxlUNet } from './make-sdxl.ts';

interface Subject {
  readonly title: string;
  /** Latent cells of a side. */
  readonly size: number;
  readonly context: number;
  readonly vector: boolean;
  readonly checkpoint: () => Promise<string>;
}

const tiny: Subject = {
  title: 'tiny, 128²',
  size: 16,
  context: 128,
  vector: false,
  checkpoint: async () =>
    join(import.meta.dirname, '../models/checkpoints/tiny-scenes.safetensors'),
};
const subjects: Readonly<Record<string, Subject>> = {
  sd15: { title: 'SD1.5, 512²', size: 64, ...sd15UNet, vector: false, checkpoint: randomSd15 },
  sdxl: { title: 'SDXL, 1024²', size: 128, ...sdxlUNet, vector: true, checkpoint: randomSdxl },
};

/** A row of the table; times in milliseconds, memory in bytes. */
interface Row {
  readonly model: string;
  readonly on: string;
  readonly firstStep?: number;
  readonly step?: number;
  readonly iterationsPerSecond?: number;
  readonly firstDecode?: number;
  readonly decode?: number;
  readonly deviceMemory?: number;
  readonly hostMemory?: number;
  readonly failed?: string;
}

const { values } = parseArgs({
  options: {
    device: { type: 'string', multiple: true },
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
const rounds = Number(values.rounds);
const end = Date.now() + Number(values.minutes) * 60_000;
const hasCuda = process.arch === 'x64' && platform() === 'linux'; // what `setup:cuda` knows
const devices = values.device ?? ['webgpu', ...(hasCuda ? ['cuda'] : [])];
const installed = values.reference !== undefined && existsSync(join(values.reference, 'comfy'));

function subjectOf(name: string): Subject {
  const subject = subjects[name] as Subject | undefined;
  if (!subject) throw new Error(`--models: ${name} is none of ${Object.keys(subjects).join(', ')}`);
  return subject;
}

const least = (taken: readonly Taken[]): number => Math.min(...taken.map(({ wall }) => wall));

/** Steps and decodings of one side, which ends with it. */
async function measure(model: string, on: string, start: () => Side): Promise<Row> {
  const memory = watchMemory();
  const side = start();
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
      model,
      on,
      firstStep: firstStep.wall,
      step,
      iterationsPerSecond: 1000 / step,
      firstDecode: firstDecode.wall,
      decode: least(decoded),
      deviceMemory: device ?? memory.most(),
      hostMemory: peak,
    };
  } catch (error) {
    return { model, on, failed: error instanceof Error ? error.message : String(error) };
  } finally {
    await side.end();
    memory.stop();
  }
}

const here = import.meta.dirname;
const rows: Row[] = [];
for (const subject of values.tiny ? [tiny] : values.models.split(',').map(subjectOf)) {
  const { title, size, context, vector } = subject;
  console.error(`${title}: weights`);
  const given = [
    String(size),
    String(context),
    vector ? '1' : '0',
    await subject.checkpoint(),
    '',
    '',
  ];
  for (const device of devices) {
    console.error(`${title}: ${device}`);
    const args = [...given, device, ...(values.precision === undefined ? [] : [values.precision])];
    const ours = join(here, 'compare/ours.ts');
    const start = (): Side => startSide(process.execPath, ['--import', TYPESCRIPT, ours, ...args]);
    rows.push(await measure(title, [device, values.precision].filter(Boolean).join(' '), start));
  }
  if (installed && !values.tiny) {
    console.error(`${title}: PyTorch`);
    const script = join(here, 'compare/reference.py');
    const start = (): Side => startSide(values.python, [script, 'gpu', ...given], values.reference);
    rows.push(await measure(title, 'PyTorch', start));
  }
}

const seconds = (ms?: number): string => (ms === undefined ? '' : (ms / 1000).toFixed(2));
const gigabytes = (bytes?: number): string =>
  bytes === undefined ? '?' : (bytes / 1e9).toFixed(2);
console.log(
  `${deviceName()}; ${cpus()[0]?.model.trim() ?? 'unknown processor'}; Node ${process.version}`,
);
if (!installed)
  console.log('The reference is not installed here (--reference): PyTorch is left out.');
console.log('| | on | first step, s | it/s | first decode, s | decode, s | device memory, GB |');
console.log('|---|---|---|---|---|---|---|');
for (const row of rows) {
  const speed = row.iterationsPerSecond?.toFixed(2) ?? '';
  const figures =
    row.failed === undefined
      ? [
          seconds(row.firstStep),
          speed,
          seconds(row.firstDecode),
          seconds(row.decode),
          gigabytes(row.deviceMemory),
        ]
      : [`failed: ${row.failed.replace(/\s+/g, ' ').slice(0, 300)}`, '', '', '', ''];
  console.log(`| ${[row.model, row.on, ...figures].join(' | ')} |`);
}
if (rows.some(({ on, failed }) => on.startsWith('cuda') && failed !== undefined)) {
  console.log(
    'cuda needs the files that `npm run setup:cuda` downloads, CUDA 12 or newer and cuDNN 9.',
  );
}
const json = JSON.stringify({ device: deviceName(), node: process.version, rows }, null, 2);
if (values.json === undefined) console.log(json);
else writeFileSync(values.json, `${json}\n`);
