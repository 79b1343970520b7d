/** Files with something wrong in them: pictures to upload, models to be loaded. */
import { mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Graph } from './prompts.ts';
import { type Random, mutateBytes } from './random.ts';
import { oddText, oddValue, set } from './values.ts';
import { write } from './routes.ts';

/** Small pictures of every format that the picture library writes. */
export async function pictures(): Promise<Buffer[]> {
  const create = { width: 24, height: 16, channels: 4, background: '#40ff8080' } as const;
  const image = () => sharp({ create });
  return Promise.all([
    image().png().toBuffer(),
    image().png({ palette: true }).toBuffer(),
    image().png({ progressive: true }).toBuffer(),
    image().jpeg().toBuffer(),
    image().webp().toBuffer(),
    image().gif().toBuffer(),
    image().tiff().toBuffer(),
    image().avif().toBuffer(),
  ]);
}

export interface Form {
  readonly path: string;
  readonly body: FormData;
}

/** An upload of a picture, whole or broken, under a few names only: the folder must not grow. */
export function upload(random: Random, seeds: readonly Buffer[]): Form {
  const bytes = random.chance(0.1)
    ? random.bytes(random.int(0, 200))
    : mutateBytes(random, random.pick(seeds));
  const body = new FormData();
  const name = random.chance(0.8) ? `fuzz-${random.int(0, 9)}.png` : oddText(random).slice(0, 300);
  body.append(random.chance(0.95) ? 'image' : oddText(random), new Blob([bytes]), name);
  if (random.chance(0.9)) body.append('overwrite', 'true');
  if (random.chance(0.2)) body.append('subfolder', oddText(random));
  if (random.chance(0.2))
    body.append('type', random.pick(['input', 'temp', 'output', 'models', '']));
  const isMask = random.chance(0.3);
  if (isMask || random.chance(0.05)) {
    const reference = { filename: `fuzz-${random.int(0, 9)}.png`, type: 'input' };
    body.append('original_ref', write(random.chance(0.7) ? reference : oddValue(random)));
  }
  return { path: random.pick(['', '/api']) + (isMask ? '/upload/mask' : '/upload/image'), body };
}

/** Puts a broken model file in its place and returns a prompt that loads it. */
export function modelPrompt(random: Random, base: string, checkpoint: string): Graph {
  const number = random.int(0, 9);
  if (random.chance(0.2)) return embeddingPrompt(random, base, number);
  const name = `fuzz-${number}.safetensors`;
  // Under another name first: a file that shrinks while it is mapped ends whoever maps it.
  const path = join(base, 'models', 'checkpoints', name);
  writeSafetensors(random, `${path}.new`, readFileSync(checkpoint));
  renameSync(`${path}.new`, path);
  return {
    1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: name } },
    2: { class_type: 'CLIPTextEncode', inputs: { text: 'red circle', clip: ['1', 1] } },
    3: { class_type: 'EmptyLatentImage', inputs: { width: 16, height: 16, batch_size: 1 } },
    4: { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['1', 2] } },
    5: { class_type: 'PreviewImage', inputs: { images: ['4', 0] } },
    6: { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
  };
}

function writeSafetensors(random: Random, path: string, original: Buffer): void {
  const length = Number(original.readBigUInt64LE());
  if (random.chance(0.15))
    return writeFileSync(path, mutateBytes(random, original.subarray(0, 8 + length)));
  const header = JSON.parse(original.toString('utf8', 8, 8 + length)) as Record<string, Entry>;
  for (let i = random.int(1, 3); i > 0; i--) changeHeader(random, header);
  const text = Buffer.from(write(header));
  const head = Buffer.alloc(8);
  const stated = random.chance(0.1) ? BigInt(random.int(0, 2 ** 40)) : BigInt(text.length);
  head.writeBigUInt64LE(stated);
  writeFileSync(path, Buffer.concat([head, text]));
  const size = 8 + text.length + original.length - 8 - length;
  truncateSync(path, random.chance(0.8) ? size : Math.max(0, size + random.int(-100, 100)));
}

type Entry = { dtype?: unknown; shape?: number[]; data_offsets?: number[] };

function changeHeader(random: Random, header: Record<string, Entry>): void {
  const key = random.pick(Object.keys(header));
  const entry = header[key];
  switch (random.int(0, 6)) {
    case 0:
      Reflect.deleteProperty(header, key);
      break;
    case 1:
      set(header, oddText(random), entry);
      break;
    case 2:
      set(header, key, oddValue(random));
      break;
    case 3:
      // The same number of elements in another shape passes every check of the header itself.
      entry.shape = entry.shape?.slice().reverse();
      break;
    case 4:
      if (entry.shape !== undefined) entry.shape = [...entry.shape, 1];
      break;
    case 5:
      if (entry.data_offsets !== undefined) {
        entry.data_offsets = entry.data_offsets.map((n) => n + random.pick([0, 1, -1, 2 ** 33]));
      }
      break;
    default:
      entry.dtype = random.pick(['F32', 'F16', 'BF16', 'I64', 'F8_E4M3', 'X', null]);
  }
}

function embeddingPrompt(random: Random, base: string, number: number): Graph {
  const folder = join(import.meta.dirname, '../../tests/engine/text/data');
  const original = readFileSync(join(folder, random.pick(['a1111.pt', 'list.pt', 'hostile.pt'])));
  mkdirSync(join(base, 'models', 'embeddings'), { recursive: true });
  const path = join(base, 'models', 'embeddings', `fuzz-${number}.pt`);
  writeFileSync(path, mutateBytes(random, original));
  const text = `a embedding:fuzz-${number} b`;
  return {
    1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny-scenes.safetensors' } },
    2: { class_type: 'CLIPTextEncode', inputs: { text, clip: ['1', 1] } },
    3: { class_type: 'PreviewAny', inputs: { source: ['2', 0] } },
  };
}
