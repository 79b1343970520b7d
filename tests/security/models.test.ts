/** Model files that lie: they are refused with an error that names them, and nothing of them runs. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPickle } from '../../engine/weights/pickle.ts';
import { type TestServer, startServer } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

const data = join(import.meta.dirname, '..', 'engine', 'text', 'data');
const checkpoint = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');

let base: string;
let server: TestServer;
let engines: number[];
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-models-'));
  for (const name of ['checkpoints', 'embeddings', 'loras', 'vae']) {
    mkdirSync(join(base, 'models', name), { recursive: true });
  }
  copyFileSync(checkpoint, join(base, 'models', 'checkpoints', 'good.safetensors'));
  server = await startServer({ base });
  do engines = await server.engines();
  while (engines.length === 0);
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

async function outcome(prompt: object): Promise<{ status: string; message: string }> {
  const sent = await server.post('/prompt', { prompt });
  expect(sent.status).toBe(200);
  const { prompt_id: id } = (await sent.json()) as { prompt_id: string };
  const read = async () => (await server.json(`/history/${id}`))[id]?.status;
  await expect.poll(read, { timeout: 20_000 }).toBeDefined();
  const { status_str: status, messages } = await read();
  return { status, message: String(messages.at(-1)[1].exception_message ?? '') };
}

describe('safetensors', () => {
  const file = (header: unknown, bytes = 64, length?: bigint): Buffer => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(length ?? BigInt(text.length));
    return Buffer.concat([head, text, Buffer.alloc(bytes)]);
  };
  const tensor = (shape: unknown, data_offsets: unknown, dtype: unknown = 'F32') => ({
    x: { dtype, shape, data_offsets },
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a length only', file('', 0)],
    ['a header longer than the file', file('{}', 0, 1n << 40n)],
    ['a header of 2^64-1 bytes', file('{}', 0, (1n << 64n) - 1n)],
    ['no JSON', file('{"x": ')],
    ['a list', file([])],
    ['the same key twice', file('{"x": {}, "x": {}}')],
    ['data beyond the end', file(tensor([64], [0, 256]))],
    ['data before the start', file(tensor([16], [-64, 0]))],
    ['a range that is turned round', file(tensor([16], [64, 0]))],
    ['a shape that overflows', file(tensor([2 ** 40, 2 ** 40], [0, 64]))],
    ['a shape of fractions', file(tensor([1.5], [0, 6]))],
    ['a negative shape', file(tensor([-16], [0, 64]))],
    ['a shape larger than its range', file(tensor([2 ** 30], [0, 64]))],
    ['ranges that overlap', file({ ...tensor([16], [0, 64]), y: tensor([16], [0, 64]).x })],
    ['a hole', file(tensor([8], [32, 64]))],
    ['bytes behind the last tensor', file(tensor([8], [0, 32]))],
    ['metadata that is no text', file({ ...tensor([16], [0, 64]), __metadata__: { a: 1 } })],
    ['a header of 100 000 levels', file(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)],
  ])('of %s', async (name, bytes) => {
    const ckpt_name = `${name.replaceAll(/\W/g, '-')}.safetensors`;
    writeFileSync(join(base, 'models', 'checkpoints', ckpt_name), bytes);
    const { status, message } = await outcome({
      1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name } },
      2: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
      3: { class_type: 'VAEDecode', inputs: { samples: ['2', 0], vae: ['1', 2] } },
      4: { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
    });
    expect(status).toBe('error');
    expect(message).toContain(ckpt_name);
    expect(message).toContain('not a valid safetensors file');
    // The engine refused it; it did not die of it.
    expect(await server.engines()).toEqual(engines);
  });
});

describe('pickles', () => {
  it('run nothing when a prompt loads them', async () => {
    const marker = '/tmp/noodle-hostile-pickle';
    rmSync(marker, { force: true });
    copyFileSync(join(data, 'hostile.pt'), join(base, 'models', 'embeddings', 'hostile.pt'));
    copyFileSync(join(data, 'hostile.pt'), join(base, 'models', 'checkpoints', 'hostile.ckpt'));
    const clip = {
      class_type: 'CheckpointLoaderSimple',
      inputs: { ckpt_name: 'good.safetensors' },
    };
    const embedding = await outcome({
      1: clip,
      2: {
        class_type: 'CLIPTextEncode',
        inputs: { text: 'a embedding:hostile b', clip: ['1', 1] },
      },
      3: { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
    });
    // As in ComfyUI, an embedding that cannot be read is left out of the text.
    expect(['success', 'error']).toContain(embedding.status);
    const loader = await outcome({
      1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'hostile.ckpt' } },
      2: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    });
    expect(loader.status).toBe('error');
    expect(existsSync(marker)).toBe(false);
    expect(await server.engines()).toEqual(engines);
  });

  const read = (text: string) => () =>
    readPickle('a.pt', Buffer.from(text, 'latin1'), {
      call: (name) => (name === 'collections.OrderedDict' ? new Map() : undefined),
      persistent: () => null,
    });

  it.each([
    ['a call of a system function', 'cposix\nsystem\n(U\x02idtR.', /it needs posix.system/],
    [
      'a call by its stack form',
      '\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.',
      /it needs os.system/,
    ],
    ['eval', 'c__builtin__\neval\n(U\x011tR.', /it needs __builtin__.eval/],
    ['a call of a called thing', 'ccollections\nOrderedDict\n)R)R.', /no name/],
    ['an instance (INST)', '(iposix\nsystem\n.', /opcode/],
    ['an object (OBJ)', '(cposix\nsystem\no.', /opcode/],
    ['a new object (NEWOBJ)', 'cposix\nsystem\n)\x81.', /opcode/],
    ['an extension code', '\x82\x01.', /opcode/],
    ['a text that is longer than the file', 'X\xff\xff\xff\xff.', /ends too early/],
    ['a 64-bit length', '\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.', /ends too early/],
    ['no end', '(((', /ends too early/],
    ['an empty stack', '.', /stack is empty/],
    ['an unknown memo', 'h\x05.', /unknown memo/],
    ['a missing mark', 't.', /mark is missing/],
  ])('%s is refused', (_, text, message) => {
    expect(read(text)).toThrow(message);
  });

  it.each([
    ['marks', '('],
    ['lists', ']'],
    ['dicts', '}'],
  ])('of millions of %s are given up early', (_, op) => {
    const bomb = Buffer.alloc(5_000_000, op);
    const options = { call: () => undefined, persistent: () => null };
    expect(() => readPickle('bomb', bomb, options)).toThrow('more than 1000000 steps');
  });

  it('what is only named is never called', () => {
    expect(read('cposix\nsystem\n.')()).toMatchObject({ name: 'posix.system' });
  });
});
