/** A LoRA trained, saved, put on a model and loaded again by prompts of a server. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { type Client, type TestServer, connect, startServer } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument -- JSON from the wire */

const root = fileURLToPath(new URL('../../', import.meta.url));
let base: string;
let server: TestServer;
let client: Client;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'noodle-training-'));
  mkdirSync(join(base, 'models'));
  symlinkSync(join(root, 'models/checkpoints'), join(base, 'models/checkpoints'));
  mkdirSync(join(base, 'input/set'), { recursive: true });
  for (const i of [0, 1]) {
    const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, at) => (at * (i + 3)) % 251);
    writeFileSync(
      join(base, `input/set/${i}.png`),
      await encodePng({ width: 64, height: 64, channels: 3, data }, { level: 1 }),
    );
  }
  server = await startServer({ base, flags: ['--disable-metadata'] });
  client = await connect(server);
});
afterAll(async () => {
  await client?.close();
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

const node = (class_type: string, inputs: Record<string, unknown>) => ({ class_type, inputs });

async function submit(prompt: object): Promise<string> {
  const response = await server.post('/prompt', { prompt, client_id: client.sid });
  const { prompt_id, error, node_errors } = (await response.json()) as any;
  expect({ error, node_errors }).toEqual({ error: undefined, node_errors: {} });
  return prompt_id as string;
}

const loaded = {
  checkpoint: node('CheckpointLoaderSimple', { ckpt_name: 'tiny-scenes.safetensors' }),
  caption: node('CLIPTextEncode', { clip: ['checkpoint', 1], text: 'a red circle' }),
  empty: node('EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }),
};

/** Two steps with a model, as a picture. */
const drawn = (model: readonly [string, number]) => ({
  sampled: node('KSampler', {
    ...{ model, positive: ['caption', 0], negative: ['caption', 0], latent_image: ['empty', 0] },
    ...{ seed: 3, steps: 2, cfg: 1, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
  }),
  decoded: node('VAEDecode', { samples: ['sampled', 0], vae: ['checkpoint', 2] }),
  picture: node('SaveImage', { images: ['decoded', 0], filename_prefix: 'drawn' }),
});

const trained = (steps: number) => ({
  pictures: node('LoadImageSetFromFolderNode', { folder: 'set' }),
  latents: node('VAEEncode', { pixels: ['pictures', 0], vae: ['checkpoint', 2] }),
  training: node('TrainLoraNode', {
    ...{ model: ['checkpoint', 0], latents: ['latents', 0], positive: ['caption', 0] },
    ...{ batch_size: 1, grad_accumulation_steps: 1, steps, learning_rate: 0.01, rank: 2 },
    ...{ optimizer: 'AdamW', loss_function: 'MSE', seed: 7, algorithm: 'LoRA' },
    ...{ training_dtype: 'bf16', lora_dtype: 'bf16', existing_lora: '[None]' },
    gradient_checkpointing: false,
  }),
  saved: node('SaveLoRANode', {
    lora: ['training', 1],
    prefix: 'loras/two',
    steps: ['training', 3],
  }),
});

/** The bytes of the picture that a prompt drew. */
async function pictureOf(id: string): Promise<Buffer> {
  await client.finished(id, 200_000);
  const { [id]: entry } = await server.json(`/history/${id}`);
  expect(entry.status.status_str).toBe('success');
  const [{ filename, type }] = entry.outputs.picture.images;
  return readFileSync(join(base, type, filename));
}

it('trains, draws with what it trained, and draws the same with the saved file', async () => {
  const graph = node('LossGraphNode', { loss: ['training', 2], filename_prefix: 'loss' });
  const id = await submit({ ...loaded, ...trained(3), ...drawn(['training', 0]), graph });
  const picture = await pictureOf(id);
  const told = client.messages.flatMap(({ type, ...rest }) => {
    const { node, value, max } = (rest as any).data ?? {};
    return type === 'progress' && node === 'training' ? [[value, max]] : [];
  });
  expect(told).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ]);

  const name = 'two_3_steps_00001_.safetensors';
  expect(readdirSync(join(base, 'output/loras'))).toEqual([name]);
  const { metadata, tensors } = await openSafetensors(join(base, 'output/loras', name));
  expect(metadata).toMatchObject({
    training_info: '{"step":3,"epoch":0}',
    ss_network_module: 'networks.lora',
    ss_network_dim: '2',
  });
  expect(tensors.get('diffusion_model.out.2.lora_up.weight')).toMatchObject({ dtype: 'BF16' });

  const lora = node('LoraLoader', {
    ...{ model: ['checkpoint', 0], clip: ['checkpoint', 1], lora_name: name },
    ...{ strength_model: 1, strength_clip: 1 },
  });
  const again = await pictureOf(await submit({ ...loaded, lora, ...drawn(['lora', 0]) }));
  expect(again.equals(picture)).toBe(true);
  const plain = await pictureOf(await submit({ ...loaded, ...drawn(['checkpoint', 0]) }));
  expect(plain.equals(picture)).toBe(false);
}, 240_000);

it('is interrupted between steps, and writes nothing', async () => {
  const before = readdirSync(join(base, 'output/loras'));
  const id = await submit({ ...loaded, ...trained(100_000) });
  await client.until(
    ({ type, ...rest }) => type === 'progress' && (rest as any).data.max === 100_000,
    200_000,
  );
  await server.post('/interrupt', {});
  await client.until(({ type }) => type === 'execution_interrupted', 30_000);
  const { [id]: entry } = await server.json(`/history/${id}`);
  expect(entry.status.messages.at(-1)[0]).toBe('execution_interrupted');
  expect(readdirSync(join(base, 'output/loras'))).toEqual(before);
}, 240_000);
