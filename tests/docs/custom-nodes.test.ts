/**
 * docs/custom-nodes.md says that its listings are run by tests: each is written to the place that its
 * first line names, in an installation of its own; a real server loads them, and every node runs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PackFiles, packFiles } from '../support/pack-files.ts';
import { type TestServer, connect, startServer } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return -- JSON from the wire */

const text = readFileSync('docs/custom-nodes.md', 'utf8');
const listings = [...text.matchAll(/```(ts|js)\n(?:\/\/ (\S+)\n)?([^]*?)```/g)].map(
  ([, language, path, source]) => ({ language, path, source }),
);
const files: PackFiles = packFiles();
for (const { path, source } of listings) {
  const target = join(files.base, path ?? 'unnamed');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, source);
}
// Listings with tests of their own register them here.
for (const { path } of listings.filter((listing) => listing.path?.endsWith('.test.ts'))) {
  await import(join(files.base, path));
}

type Node = readonly [classType: string, inputs: object];

/** A prompt that shows each node of the page, and the text that its last node shows. */
const CASES: Readonly<Record<string, readonly [nodes: readonly Node[], shown: unknown]>> = {
  Shout: [[['Shout', { text: 'hey' }]], 'HEY!'],
  Describe: [
    [
      [
        'Describe',
        { size: 'large', model: 'none', seed: 2, steps: 3, strength: 0.5, loud: true, note: 'a' },
      ],
    ],
    '1: LARGE NONE 2 3 0.5 A',
  ],
  JoinAll: [
    [
      ['CountTo', { n: 3 }],
      ['JoinAll', { parts: ['1', 0], between: '+' }],
    ],
    '1+2+3',
  ],
  FileSize: [[['FileSize', { file: 'some.txt' }]], '5'],
  Even: [[['Even', { text: '4' }]], '4'],
  MixNumbers: [
    [
      ['Even', { text: '4' }],
      ['MixNumbers', { share: 0, a: ['1', 0], b: ['3', 0] }],
      ['Fetcher', { value: 1, steps: 1 }],
      ['Pass', { value: ['2', 0], open: true }],
    ],
    '4',
  ],
  Factorial: [[['Factorial', { n: 5, so_far: 1 }]], '120'],
  Fetcher: [[['Fetcher', { value: 'fetched', steps: 2 }]], 'fetched'],
  WriteNote: [
    [
      ['Shout', { text: 'kept' }],
      ['WriteNote', { text: ['1', 0], prefix: 'notes/text' }],
    ],
    'KEPT!',
  ],
  SumOf: [[['SumOf', { 'values.value0': 1, 'values.value1': 2, 'values.value2': 4 }]], '7.0'],
  AreaOf: [[['AreaOf', { shape: 'square', 'shape.side': 3 }]], '9.0'],
  Second: [
    [
      ['Even', { text: '2' }],
      ['Even', { text: '6' }],
      ['Second', { a: ['1', 0], b: ['2', 0] }],
    ],
    '6',
  ],
};
/** Nodes of pictures and models: what counts is the picture. */
const PICTURES = ['Darken', 'PaintMasked', 'ReverseBatch', 'ClearLatent', 'QuickPicture'];

let server: TestServer;
beforeAll(async () => {
  mkdirSync(join(files.base, 'input'));
  writeFileSync(join(files.base, 'input', 'some.txt'), '12345');
  const paths = `program:\n  checkpoints: ${resolve('models/checkpoints')}\n`;
  writeFileSync(join(files.base, 'paths.yaml'), paths);
  server = await startServer({
    base: files.base,
    flags: ['--extra-model-paths-config', join(files.base, 'paths.yaml')],
  });
});
afterAll(async () => {
  await server?.stop();
  files.remove();
});

async function run(nodes: readonly Node[]): Promise<{ outputs: any; error: any }> {
  const prompt: Record<string, { class_type: string; inputs: object }> = Object.fromEntries(
    nodes.map(([class_type, inputs], i) => [String(i + 1), { class_type, inputs }]),
  );
  const last = String(nodes.length);
  if (!['PreviewImage', 'WriteNote'].includes(nodes.at(-1)![0])) {
    prompt.shown = { class_type: 'PreviewAny', inputs: { source: [last, 0] } };
  }
  const answer = (await (await server.post('/prompt', { prompt })).json()) as any;
  if (answer.error !== undefined) return { outputs: undefined, error: answer };
  let entry: any;
  await expect
    .poll(
      async () => (entry = (await server.json(`/history/${answer.prompt_id}`))[answer.prompt_id]),
      { timeout: 30_000 },
    )
    .toBeDefined();
  expect(entry.status.status_str, JSON.stringify(entry.status.messages)).toBe('success');
  return { outputs: entry.outputs[prompt.shown === undefined ? last : 'shown'], error: undefined };
}

describe('listings', () => {
  it('all say where they go', () => {
    expect(listings.length).toBeGreaterThan(8);
    expect(listings.filter(({ path }) => path === undefined)).toEqual([]);
  });

  it('have no wrong types', () => {
    const program = ts.createProgram(
      listings.flatMap(({ language, path }) => (language === 'ts' ? [join(files.base, path)] : [])),
      {
        ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, strict: true },
        ...{ allowImportingTsExtensions: true, noEmit: true, skipLibCheck: true },
        paths: {
          'noodle/node': [resolve('engine/node.ts')],
          vitest: [resolve('node_modules/vitest/dist/index.d.ts')],
        },
        typeRoots: [resolve('node_modules/@types')],
        types: ['node'],
      },
    );
    const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(files.base));
    expect(own.length).toBeGreaterThan(0);
    const found = own.flatMap((file) => ts.getPreEmitDiagnostics(program, file));
    expect(
      found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    ).toEqual([]);
  });

  it('are packs without problems, and every node has a case here', async () => {
    const packs = (await server.json('/ui/packs')) as { nodes: string[]; problems: string[] }[];
    expect(packs.flatMap(({ problems }) => problems)).toEqual([]);
    const used = Object.values(CASES).flatMap(([nodes]) => nodes.map(([name]) => name));
    expect(new Set([...used, ...PICTURES])).toEqual(new Set(packs.flatMap(({ nodes }) => nodes)));
  });

  it.each(Object.entries(CASES))('run: %s', async (_, [nodes, shown]) => {
    expect((await run(nodes)).outputs.text).toEqual([shown]);
  });

  it('run: pictures', async () => {
    const gradient: Node = ['EmptyImage', { width: 8, height: 8, batch_size: 2, color: 0xffffff }];
    const { outputs } = await run([
      gradient,
      ['SolidMask', { value: 1, width: 4, height: 4 }],
      ['Darken', { image: ['1', 0], amount: 0.5 }],
      ['PaintMasked', { image: ['3', 0], mask: ['2', 0] }],
      ['ReverseBatch', { images: ['4', 0] }],
      ['PreviewImage', { images: ['5', 0] }],
    ]);
    expect(outputs.images).toHaveLength(2);
    const [{ filename, subfolder, type }] = outputs.images;
    const view = `/view?filename=${filename}&subfolder=${subfolder}&type=${type}`;
    const png = Buffer.from(await (await server.get(view)).arrayBuffer());
    const { default: sharp } = await import('sharp');
    const { data } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 3)]).toEqual([255, 0, 0]);
  });

  it('run: a picture from a model', async () => {
    const { outputs } = await run([
      ['CheckpointLoaderSimple', { ckpt_name: 'tiny-scenes.safetensors' }],
      ['CLIPTextEncode', { clip: ['1', 1], text: '' }],
      ['EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }],
      ['ClearLatent', { samples: ['3', 0] }],
      [
        'QuickPicture',
        {
          ...{ model: ['1', 0], clip: ['1', 1], vae: ['1', 2], negative: ['2', 0] },
          ...{ latent: ['4', 0], text: 'a red house', steps: 2 },
        },
      ],
      ['PreviewImage', { images: ['5', 0] }],
    ]);
    expect(outputs.images).toHaveLength(1);
  });
});

describe('what the page promises', () => {
  it('a check says what is wrong', async () => {
    const { error } = await run([['Even', { text: '3' }]]);
    expect(error.node_errors['1'].errors[0].details).toBe(
      "text - expected an even number, got '3'",
    );
  });

  it('a blocker stops what depends on it', async () => {
    const { outputs } = await run([['Pass', { value: 1, open: false }]]);
    expect(outputs).toBeUndefined();
  });

  it('progress, text and messages arrive', async () => {
    const client = await connect(server);
    const prompt = {
      1: { class_type: 'Fetcher', inputs: { value: 'x', steps: 3 } },
      2: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    };
    await server.post('/prompt', { prompt, client_id: client.sid });
    const fetched = (await client.until(({ type }) => type === 'mine.fetched')) as any;
    expect(fetched.data.node).toBe('1');
    const kinds = client.messages.map((message) =>
      message.type === 'binary' && 'frame' in message ? message.frame?.type : message.type,
    );
    expect(kinds.filter((kind) => kind === 'progress')).toHaveLength(3);
    expect(kinds).toContain('text');
    expect(kinds).toContain('preview');
    await client.close();
  });
});
