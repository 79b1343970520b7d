/** Ends servers and engines without asking, in the middle of work, and looks what became of it. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeImage } from '../../engine/media/decode-image.ts';
import { openDb } from '../../engine/store/db.ts';
import { type Json, parseJson } from '../../engine/workflow/lossless-json.ts';
import { type TestServer, startServer } from '../../tests/support/server.ts';
import { type Random, createRandom } from '../fuzz/random.ts';

export interface KillOptions {
  readonly seed: number;
  /** How often something is ended. */
  readonly kills: number;
  readonly onProgress?: (done: number, what: string) => void;
}

export interface KillReport {
  /** One line for everything that must not happen. */
  readonly problems: readonly string[];
  readonly accepted: number;
  /** Prompts whose answer never arrived: they may be there or not. */
  readonly unanswered: number;
  readonly serverKills: number;
  readonly engineKills: number;
  readonly succeeded: number;
  /** Errors that were reported, by their type. */
  readonly failed: Readonly<Record<string, number>>;
  readonly files: number;
  readonly seconds: number;
}

/** Prompts that wait while something is ended. */
const LOAD = 12;
const flags = ['--threads', '1'];
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Entry {
  readonly outputs: Readonly<Record<string, { images?: readonly OutputFile[] }>>;
  readonly status: { readonly status_str: string; readonly messages: readonly [string, Details][] };
}
type OutputFile = { filename: string; subfolder: string; type: string };
type Details = { exception_type?: string };

/** Runs the whole course; resolves with what was found at its end. */
export async function killAtRandom({ seed, kills, onProgress }: KillOptions): Promise<KillReport> {
  const base = mkdtempSync(join(tmpdir(), 'noodle-kill-'));
  mkdirSync(join(base, 'models'));
  symlinkSync(join(root, 'models/checkpoints'), join(base, 'models/checkpoints'));
  const random = createRandom(seed);
  const began = performance.now();
  const load = createLoad(random);
  let server = await startServer({ base, flags });
  const count = { server: 0, engine: 0 };
  try {
    for (let i = 0; i < kills; i++) {
      const stop = load.start(server);
      await sleep(random.int(0, 2000));
      const victim = random.chance(0.5) ? 'server' : 'engine';
      if (victim === 'engine') await killEngine(server, random);
      else await server.kill();
      count[victim]++;
      await stop();
      if (victim === 'server') server = await startServer({ base, flags });
      onProgress?.(i + 1, victim);
    }
    // A busy machine got little to do between the kills: there must be something to look at in the end.
    const enough = load.start(server);
    while (load.accepted.length < 6 * kills) await sleep(20);
    await enough();
    await drained(server);
    // What an engine left in the middle of a write goes with the next start.
    await server.stop();
    server = await startServer({ base, flags });
    await sleep(500);
    const entries = parseJson(await (await server.get('/history')).text()) as unknown as History;
    const problems = [
      ...checkEnds(load.accepted, entries),
      ...(await checkFiles(join(base, 'output'), entries)),
    ];
    await server.stop();
    problems.push(...checkDatabase(join(base, 'user', 'noodle.db')));
    return {
      ...summary(entries),
      problems,
      accepted: load.accepted.length,
      unanswered: load.unanswered(),
      serverKills: count.server,
      engineKills: count.engine,
      files: readdirSync(join(base, 'output')).length,
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await server.kill();
    rmSync(base, { recursive: true, force: true });
  }
}

type History = Readonly<Record<string, Entry>>;

/** Keeps the queue filled while it is started. */
function createLoad(random: Random) {
  const accepted: string[] = [];
  let unanswered = 0;
  let serial = 0;

  const fill = async (server: TestServer, isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      try {
        const { exec_info: info } = (await server.json('/prompt')) as { exec_info: QueueInfo };
        if (info.queue_remaining >= LOAD) {
          await sleep(20);
          continue;
        }
        const response = await server.post('/prompt', { prompt: somePrompt(random, serial++) });
        const { prompt_id: id } = (await response.json()) as { prompt_id: string };
        accepted.push(id);
      } catch {
        unanswered++;
        await sleep(20);
      }
    }
  };
  return {
    accepted,
    unanswered: () => unanswered,
    /** Returns what stops it. */
    start: (server: TestServer) => {
      let over = false;
      const running = fill(server, () => over);
      return async (): Promise<void> => {
        over = true;
        await running;
      };
    },
  };
}

type QueueInfo = { queue_remaining: number };

/** A number, a small picture that is saved, or a picture of the embedded model. */
function somePrompt(random: Random, serial: number): Json {
  const kind = random.int(0, 9);
  if (kind < 3) {
    return {
      1: { class_type: 'PrimitiveInt', inputs: { value: serial } },
      2: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    };
  }
  const save = (images: Json, prefix = `kind${kind}`): Json => ({
    class_type: 'SaveImage',
    inputs: { images, filename_prefix: prefix },
  });
  if (kind < 8) {
    const inputs = { width: 256, height: 256, batch_size: random.int(1, 3), color: serial };
    return {
      1: { class_type: 'EmptyImage', inputs },
      2: save(['1', 0]),
      3: save(['1', 0], 'again'),
    };
  }
  const text = (words: string): Json => ({
    class_type: 'CLIPTextEncode',
    inputs: { text: words, clip: ['1', 1] },
  });
  return {
    1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny-scenes.safetensors' } },
    2: text('a red circle on a blue background'),
    3: text(''),
    4: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
    5: {
      class_type: 'KSampler',
      inputs: {
        ...{ model: ['1', 0], positive: ['2', 0], negative: ['3', 0], latent_image: ['4', 0] },
        ...{
          seed: serial,
          steps: 3,
          cfg: 4,
          sampler_name: 'euler',
          scheduler: 'normal',
          denoise: 1,
        },
      },
    },
    6: { class_type: 'VAEDecode', inputs: { samples: ['5', 0], vae: ['1', 2] } },
    7: save(['6', 0]),
  };
}

async function killEngine(server: TestServer, random: Random): Promise<void> {
  const engines = await server.engines();
  if (engines.length === 0) return;
  try {
    process.kill(random.pick(engines), 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

async function drained(server: TestServer): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const { exec_info: info } = (await server.json('/prompt')) as { exec_info: QueueInfo };
    if (info.queue_remaining === 0) return;
    await sleep(50);
  }
}

/** Every prompt that was answered 200 is in the history, with a success or with an error. */
function checkEnds(accepted: readonly string[], entries: History): string[] {
  return accepted.flatMap((id) => {
    if (!Object.hasOwn(entries, id)) return [`${id} was accepted and has no end`];
    const { status_str: status, messages } = entries[id].status;
    const ends = messages.filter(([event]) =>
      /^execution_(success|error|interrupted)$/.test(event),
    );
    if (ends.length !== 1) return [`${id} has ${ends.length} ends`];
    return (status === 'success') === (ends[0][0] === 'execution_success')
      ? []
      : [`${id} is '${status}' and ends with ${ends[0][0]}`];
  });
}

/** Files that are reported are there, those that are there are whole, and none is half-written. */
async function checkFiles(folder: string, entries: History): Promise<string[]> {
  const problems: string[] = [];
  const reported = Object.entries(entries).flatMap(([id, { outputs }]) =>
    Object.values(outputs).flatMap(({ images = [] }) => images.map((file) => ({ id, file }))),
  );
  const names = new Set(readdirSync(folder));
  const owners = new Map<string, string>();
  for (const { id, file } of reported.filter(({ file: { type } }) => type === 'output')) {
    const name = join(file.subfolder, file.filename);
    if (!names.has(name)) problems.push(`${id} reports ${name}, which is not there`);
    const other = owners.get(name);
    if (other !== undefined) problems.push(`${name} is reported twice, by ${other} and ${id}`);
    owners.set(name, id);
  }
  for (const name of names) {
    if (!name.endsWith('.png') || name.startsWith('.')) problems.push(`${name} is left over`);
    else
      await decodeImage(readFileSync(join(folder, name)), { name }).catch((error: unknown) => {
        problems.push(`${name} cannot be read: ${String(error)}`);
      });
  }
  return problems;
}

function checkDatabase(path: string): string[] {
  const db = openDb(path);
  const row = db.prepare('PRAGMA integrity_check').get();
  const waiting = db.prepare('SELECT count(*) AS n FROM jobs WHERE finished IS NULL').get();
  db.close();
  return [
    ...(row?.integrity_check === 'ok' ? [] : [`the database is damaged: ${JSON.stringify(row)}`]),
    ...(Number(waiting?.n) === 0 ? [] : [`${String(waiting?.n)} prompts never ended`]),
  ];
}

function summary(entries: History): Pick<KillReport, 'succeeded' | 'failed'> {
  const failed: Record<string, number> = {};
  let succeeded = 0;
  for (const { status } of Object.values(entries)) {
    if (status.status_str === 'success') {
      succeeded++;
      continue;
    }
    const type = status.messages.at(-1)?.[1].exception_type ?? 'interrupted';
    failed[type] = (failed[type] ?? 0) + 1;
  }
  return { succeeded, failed };
}
