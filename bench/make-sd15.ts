/**
 * Writes a checkpoint with the keys, shapes and storage type (fp16) of Stable Diffusion 1.5 and random
 * numbers of the usual size: what the benchmarks run, for real weights may not be passed on.
 *
 *   node --import ./bin/typescript.js bench/make-sd15.ts [path]      (2.1 GB; default: the temporary folder)
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { floatToF16 } from '../engine/weights/float.ts';
import { type TensorToWrite, writeSafetensors } from '../engine/weights/write.ts';

type Shapes = Map<string, readonly number[]>;

/** Path of the random SD1.5 checkpoint; it is written when it is not there yet. */
export async function randomSd15(
  path = join(tmpdir(), 'noodle-random-sd15.safetensors'),
): Promise<string> {
  if (existsSync(path)) return path;
  const tensors = new Map<string, TensorToWrite>();
  const random = randomHalves();
  for (const [key, shape] of sd15Shapes()) {
    tensors.set(key, { dtype: 'F16', shape, bytes: () => random(key, shape) });
  }
  await writeSafetensors(path, tensors, { format: 'pt' });
  return path;
}

/** Every tensor of the checkpoint with its shape. */
export function sd15Shapes(): Shapes {
  const shapes: Shapes = new Map();
  unet(scoped(shapes, 'model.diffusion_model.'));
  vae(scoped(shapes, 'first_stage_model.'));
  clip(scoped(shapes, 'cond_stage_model.transformer.text_model.'));
  return shapes;
}

type Put = (name: string, ...shape: number[]) => void;

const scoped =
  (shapes: Shapes, prefix: string): Put =>
  (name, ...shape) =>
    void shapes.set(prefix + name, shape);

const within =
  (put: Put, prefix: string): Put =>
  (name, ...shape) =>
    put(prefix + name, ...shape);

/** A layer's weight and bias. */
function layer(put: Put, name: string, outputs: number, ...rest: number[]): void {
  put(`${name}.weight`, outputs, ...rest);
  put(`${name}.bias`, outputs);
}

function unet(put: Put): void {
  const width = [320, 640, 1280, 1280];
  const attends = [true, true, true, false];
  layer(put, 'time_embed.0', 1280, 320);
  layer(put, 'time_embed.2', 1280, 1280);
  layer(put, 'input_blocks.0.0', 320, 4, 3, 3);
  const skips = [320];
  let n = 1;
  let channels = 320;
  width.forEach((c, level) => {
    for (let i = 0; i < 2; i++, n++, channels = c) {
      resBlock(within(put, `input_blocks.${n}.0.`), channels, c);
      if (attends[level]) transformer(within(put, `input_blocks.${n}.1.`), c);
      skips.push(c);
    }
    if (level < 3) {
      layer(put, `input_blocks.${n++}.0.op`, c, c, 3, 3);
      skips.push(c);
    }
  });
  resBlock(within(put, 'middle_block.0.'), 1280, 1280);
  transformer(within(put, 'middle_block.1.'), 1280);
  resBlock(within(put, 'middle_block.2.'), 1280, 1280);
  n = 0;
  for (const level of [3, 2, 1, 0]) {
    const c = width[level];
    for (let i = 0; i < 3; i++, n++, channels = c) {
      resBlock(within(put, `output_blocks.${n}.0.`), channels + skips.pop()!, c);
      if (attends[level]) transformer(within(put, `output_blocks.${n}.1.`), c);
      if (i === 2 && level > 0) {
        layer(put, `output_blocks.${n}.${attends[level] ? 2 : 1}.conv`, c, c, 3, 3);
      }
    }
  }
  layer(put, 'out.0', 320);
  layer(put, 'out.2', 4, 320, 3, 3);
}

function resBlock(put: Put, from: number, to: number): void {
  layer(put, 'in_layers.0', from);
  layer(put, 'in_layers.2', to, from, 3, 3);
  layer(put, 'emb_layers.1', to, 1280);
  layer(put, 'out_layers.0', to);
  layer(put, 'out_layers.3', to, to, 3, 3);
  if (from !== to) layer(put, 'skip_connection', to, from, 1, 1);
}

function transformer(put: Put, c: number): void {
  layer(put, 'norm', c);
  layer(put, 'proj_in', c, c, 1, 1);
  const block = within(put, 'transformer_blocks.0.');
  for (const [name, context] of [
    ['attn1', c],
    ['attn2', 768],
  ] as const) {
    block(`${name}.to_q.weight`, c, c);
    block(`${name}.to_k.weight`, c, context);
    block(`${name}.to_v.weight`, c, context);
    layer(block, `${name}.to_out.0`, c, c);
  }
  layer(block, 'ff.net.0.proj', 8 * c, c);
  layer(block, 'ff.net.2', c, 4 * c);
  for (const norm of ['norm1', 'norm2', 'norm3']) layer(block, norm, c);
  layer(put, 'proj_out', c, c, 1, 1);
}

function vae(put: Put): void {
  const width = [128, 256, 512, 512];
  layer(put, 'encoder.conv_in', 128, 3, 3, 3);
  let channels = 128;
  width.forEach((c, level) => {
    for (let i = 0; i < 2; i++, channels = c) {
      vaeBlock(within(put, `encoder.down.${level}.block.${i}.`), channels, c);
    }
    if (level < 3) layer(put, `encoder.down.${level}.downsample.conv`, c, c, 3, 3);
  });
  vaeMiddle(within(put, 'encoder.mid.'));
  layer(put, 'encoder.norm_out', 512);
  layer(put, 'encoder.conv_out', 8, 512, 3, 3);
  layer(put, 'decoder.conv_in', 512, 4, 3, 3);
  vaeMiddle(within(put, 'decoder.mid.'));
  for (const level of [3, 2, 1, 0]) {
    const c = width[level];
    for (let i = 0; i < 3; i++, channels = c) {
      vaeBlock(within(put, `decoder.up.${level}.block.${i}.`), channels, c);
    }
    if (level > 0) layer(put, `decoder.up.${level}.upsample.conv`, c, c, 3, 3);
  }
  layer(put, 'decoder.norm_out', 128);
  layer(put, 'decoder.conv_out', 3, 128, 3, 3);
  layer(put, 'quant_conv', 8, 8, 1, 1);
  layer(put, 'post_quant_conv', 4, 4, 1, 1);
}

function vaeMiddle(put: Put): void {
  vaeBlock(within(put, 'block_1.'), 512, 512);
  layer(put, 'attn_1.norm', 512);
  for (const name of ['q', 'k', 'v', 'proj_out']) layer(put, `attn_1.${name}`, 512, 512, 1, 1);
  vaeBlock(within(put, 'block_2.'), 512, 512);
}

function vaeBlock(put: Put, from: number, to: number): void {
  layer(put, 'norm1', from);
  layer(put, 'conv1', to, from, 3, 3);
  layer(put, 'norm2', to);
  layer(put, 'conv2', to, to, 3, 3);
  if (from !== to) layer(put, 'nin_shortcut', to, from, 1, 1);
}

function clip(put: Put): void {
  put('embeddings.token_embedding.weight', 49408, 768);
  put('embeddings.position_embedding.weight', 77, 768);
  for (let i = 0; i < 12; i++) {
    const block = within(put, `encoder.layers.${i}.`);
    for (const name of ['k_proj', 'v_proj', 'q_proj', 'out_proj']) {
      layer(block, `self_attn.${name}`, 768, 768);
    }
    layer(block, 'layer_norm1', 768);
    layer(block, 'mlp.fc1', 3072, 768);
    layer(block, 'mlp.fc2', 768, 3072);
    layer(block, 'layer_norm2', 768);
  }
  layer(put, 'final_layer_norm', 768);
}

/**
 * Half-float bytes: norms' scales are 1, everything else normal with deviation fan_in^-0.5, drawn
 * from a table by a xorshift generator (which makes a gigabyte in seconds).
 */
function randomHalves(): (key: string, shape: readonly number[]) => Uint8Array {
  let state = 0x9e3779b9;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const uniform = (): number => (next() + 0.5) / 2 ** 32;
  const normal = Float32Array.from(
    { length: 4096 },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
  return (key, shape) => {
    const isScale = shape.length === 1 && key.endsWith('weight');
    const deviation = shape.length === 1 ? 0.02 : shape.slice(1).reduce((n, d) => n * d) ** -0.5;
    const table = floatToF16(normal.map((value) => (isScale ? 1 : value * deviation)));
    const codes = new Uint16Array(shape.reduce((n, d) => n * d));
    for (let i = 0; i < codes.length; i++) codes[i] = table[next() & 4095];
    return new Uint8Array(codes.buffer);
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await randomSd15(process.argv[2] && resolve(process.argv[2])));
}
