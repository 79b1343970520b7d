/** Encoded data sets: made, saved, loaded again; and folders that hold something else. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NDArray, full } from '../../engine/array/nd.ts';
import type {
  ChoiceSource,
  ComboChoice,
  NodeContext,
  NodeDefinition,
} from '../../engine/graph/definition.ts';
import type { Conditioning, Latent } from '../../engine/node.ts';
import { type Folders, createFolders } from '../../engine/store/folders.ts';
import { encodeSafetensors, floatTensor } from '../../engine/weights/write.ts';
import { datasetTrainingNodes } from '../../nodes/dataset-training.ts';
import { pattern } from '../support/number-pattern.ts';
import { toyVae } from '../support/toy-vae.ts';

let base: string;
let folders: Folders;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'noodle-encoded-'));
  folders = createFolders({ base });
});
afterEach(() => rmSync(base, { recursive: true }));

const named = (name: string): NodeDefinition =>
  datasetTrainingNodes.find((node) => node.name === name)!;
const runtime = { stats: () => ({ memoryBudget: 1e9 }) };
const context = (): NodeContext =>
  ({
    progress: () => undefined,
    services: { folders, options: {}, runtime },
  }) as unknown as NodeContext;

async function run<T>(name: string, inputs: Record<string, unknown>): Promise<T> {
  return (await named(name).run(inputs, context())) as T;
}

type Encoded = readonly [latents: readonly Latent[], conditioning: readonly Conditioning[]];

const save = (
  [latents, conditioning]: Encoded,
  folder_name = 'my/set',
  shard_size = 2,
): Promise<unknown> =>
  run('SaveTrainingDataset', {
    latents,
    conditioning,
    folder_name: [folder_name],
    shard_size: [shard_size],
  });
const load = (folder_name = 'my/set'): Promise<Encoded> =>
  run('LoadTrainingDataset', { folder_name });

const cross = (value: number): NDArray => full([1, 3, 4], value);
const latent = (value: number): Latent => ({ samples: full([1, 4, 2, 3], value) });

/** Three samples with everything that entries may carry. */
const samples = (): Encoded => [
  [
    { ...latent(0.1), noise_mask: full([1, 1, 16, 24], 0.5), batch_index: [3] },
    latent(-1e-30),
    latent(2),
  ],
  [
    [
      { cross: cross(1), pooled: undefined },
      {
        cross: cross(2),
        pooled: full([1, 5], Math.fround(0.3)),
        area: { kind: 'percentage', height: 0.5, width: 1, y: 0, x: 0.25 },
        strength: 0.75,
        textRange: { start: 0, end: 0.5 },
        isDefault: true,
        extra: {
          guidance: 3.5,
          reference_latents: [full([1, 4, 2, 2], 7)],
          size: { w: 1 },
          no: null,
        },
      },
    ],
    [{ cross: cross(3) }],
    [],
  ],
];

const dataset = (...path: string[]): string => join(base, 'models/datasets', ...path);

describe('MakeTrainingDataset', () => {
  const encoder = {
    spec: { name: 'l' },
    kind: {
      tokenize: (_: unknown, text: string) => [text],
      encode: (_: unknown, [text]: string[]) => Promise.resolve({ text }),
    },
  };
  const clip = { setup: { join: ({ l }: Record<string, unknown>) => l }, encoders: [encoder] };
  const make = (texts?: readonly string[], images = [16, 24].map((w) => pattern([1, 16, w, 4]))) =>
    run<[Latent[], { text: string }[][]]>('MakeTrainingDataset', {
      images,
      vae: [toyVae(false)],
      clip: [clip],
      texts,
    });

  it('encodes each picture, without alpha, and a text for each', async () => {
    const [latents, entries] = await make(['one', 'two']);
    expect(latents.map(({ samples: { shape } }) => shape)).toEqual([
      [1, 16, 2, 2],
      [1, 16, 2, 3],
    ]);
    expect(entries).toEqual([[{ text: 'one' }], [{ text: 'two' }]]);
  });

  it('takes one text for all, or none', async () => {
    expect((await make(['same']))[1].flat()).toEqual([{ text: 'same' }, { text: 'same' }]);
    expect((await make())[1].flat()).toEqual([{ text: '' }, { text: '' }]);
    expect((await make([]))[1].flat()).toEqual([{ text: '' }, { text: '' }]);
    await expect(make(['a', 'b', 'c'])).rejects.toThrow('texts: expected 2 texts');
  });
});

describe('saved training data sets', () => {
  it('come back number for number, from as many files as were asked for', async () => {
    await save(samples());
    expect(readdirSync(dataset('my/set')).sort()).toEqual([
      'metadata.json',
      'shard_0000.safetensors',
      'shard_0001.safetensors',
    ]);
    expect(readFileSync(dataset('my/set/metadata.json'), 'utf8')).toBe(
      '{\n  "num_samples": 3,\n  "num_shards": 2,\n  "shard_size": 2\n}',
    );
    expect(await load()).toEqual(samples());
  });

  it('replace one that was longer', async () => {
    const [latents, texts] = samples();
    await save(samples(), 'set', 1);
    await save([latents.slice(1, 2), texts.slice(1, 2)], 'set', 1);
    expect(await load('set')).toEqual([latents.slice(1, 2), texts.slice(1, 2)]);
  });

  it('are listed by the folders that are complete', async () => {
    const { choices } = named('LoadTrainingDataset').inputs.folder_name;
    const listed = () => (choices as (source: ChoiceSource) => readonly ComboChoice[])(folders);
    expect(listed()).toEqual([]);
    await save(samples());
    await save(samples(), 'other');
    mkdirSync(dataset('half'));
    writeFileSync(dataset('half/shard_0000.safetensors'), '');
    writeFileSync(dataset('metadata.json'), '{}');
    expect(listed()).toEqual(['my/set', 'other']);
  });

  it('lie below the folder of data sets', async () => {
    for (const name of ['../x', '/x', 'a/../../x']) {
      await expect(save(samples(), name)).rejects.toThrow('outside');
      await expect(load(name)).rejects.toThrow('outside');
    }
    for (const name of ['', '.', './']) {
      await expect(save(samples(), name)).rejects.toThrow('the name of a folder');
    }
    await expect(load('gone')).rejects.toThrow("Folder in 'datasets' 'gone' was not found");
  });

  it('hold no ControlNets, hooks or functions', async () => {
    const saving = (entry: object): Promise<unknown> =>
      save([[latent(1)], [[{ cross: cross(1), ...entry }]]] as Encoded);
    await expect(saving({ changes: { control: {} } })).rejects.toThrow(
      'sample 0: expected conditioning that changes nothing in the model, got control',
    );
    await expect(saving({ extra: { f: () => 1 } })).rejects.toThrow(
      'sample 0.conditioning.0.extra.f: expected numbers, texts and arrays',
    );
    await expect(saving({ extra: { n: new Map() } })).rejects.toThrow('got Map');
    await expect(saving({ cross: 1 })).rejects.toThrow('sample 0: expected a latent');
    expect(() => readdirSync(dataset('my/set'))).toThrow('ENOENT');
    await expect(save([[latent(1)], []])).rejects.toThrow('1 conditionings, one for each latent');
  });
});

describe('folders of something else', () => {
  it('are refused where they are pickles', async () => {
    mkdirSync(dataset('old'), { recursive: true });
    writeFileSync(dataset('old/shard_0000.pkl'), '');
    writeFileSync(dataset('old/metadata.json'), '{"num_samples": 1}');
    await expect(load('old')).rejects.toThrow('old/shard_0000.pkl is a pickle');
  });

  it.each([
    ['{', 'JSON'],
    ['[]', 'num_samples'],
    ['{"num_samples": -1, "num_shards": 1, "shard_size": 1}', 'num_samples'],
    ['{"num_samples": 9, "num_shards": 2, "shard_size": 2}', 'expected 3 samples'],
    ['{"num_samples": 3, "num_shards": 9, "shard_size": 2}', 'my/set/shard_0002.safetensors'],
  ])('are refused with the metadata %s', async (text, message) => {
    await save(samples());
    writeFileSync(dataset('my/set/metadata.json'), text);
    await expect(load()).rejects.toThrow(message);
  });

  it('are refused with shards that are cut off or missing', async () => {
    await save(samples());
    const shard = dataset('my/set/shard_0001.safetensors');
    writeFileSync(shard, readFileSync(shard).subarray(0, -1));
    await expect(load()).rejects.toThrow('not a valid safetensors file');
    unlinkSync(shard);
    await expect(load()).rejects.toThrow('my/set/shard_0001.safetensors');
  });

  it.each([
    ['no samples', undefined],
    ['no list', '{}'],
    ['a tensor that is not there', '[{"latent":{"samples":{"$tensor":"y"}},"conditioning":[]}]'],
    ['a latent that is none', '[{"latent":{"samples":3},"conditioning":[]}]'],
    ['a latent of few axes', '[{"latent":{"samples":{"$tensor":"x"}},"conditioning":[]}]'],
    [
      'fields that nobody knows',
      '[{"latent":{"samples":{"$tensor":"z"}},"conditioning":[{"cross":{"$tensor":"z"},"changes":{}}]}]',
    ],
    [
      'a prototype',
      '[{"latent":{"samples":{"$tensor":"z"},"__proto__":{"a":1}},"conditioning":[]}]',
    ],
  ])('are refused with shards of %s', async (_, text) => {
    await save(samples());
    const tensors = new Map([
      ['x', floatTensor(new Float32Array(4), [2, 2])],
      ['z', floatTensor(new Float32Array(4), [1, 1, 2, 2])],
    ]);
    const metadata = text === undefined ? {} : { noodle_samples: text };
    writeFileSync(
      dataset('my/set/shard_0000.safetensors'),
      encodeSafetensors(tensors, metadata as Record<string, string>),
    );
    await expect(load()).rejects.toThrow('my/set/shard_0000.safetensors');
  });

  it('notices that a set was saved anew', async () => {
    const seen = () =>
      named('LoadTrainingDataset').isChanged!({ folder_name: 'my/set' }, context());
    await save(samples());
    const before = seen();
    expect(seen()).toBe(before);
    writeFileSync(dataset('my/set/metadata.json'), '{}');
    expect(seen()).not.toBe(before);
  });
});
