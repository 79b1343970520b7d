/**
 * Checkpoints with the keys, shapes and storage type (fp16) of real models and random numbers of the
 * usual size: what the benchmarks run, for real weights may not be passed on.
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { floatToF16 } from '../engine/weights/float.ts';
import { type TensorToWrite, writeSafetensors } from '../engine/weights/write.ts';

export type Shapes = Map<string, readonly number[]>;

/** Path of the file of these tensors in the temporary folder; it is written when it is not there yet. */
export async function randomFile(
  name: string,
  shapes: Shapes,
  path = join(tmpdir(), `noodle-random-${name}.safetensors`),
): Promise<string> {
  if (existsSync(path)) return path;
  const tensors = new Map<string, TensorToWrite>();
  const random = randomHalves();
  for (const [key, shape] of shapes) {
    tensors.set(key, { dtype: 'F16', shape, bytes: () => random(key, shape) });
  }
  await writeSafetensors(path, tensors, { format: 'pt' });
  return path;
}

/** When `module` is the program that was started: makes the file at its first argument, and prints where. */
export async function whenStarted(
  module: string,
  make: (path?: string) => Promise<string>,
): Promise<void> {
  if (module !== pathToFileURL(process.argv[1]).href) return;
  console.log(await make(process.argv[2] && resolve(process.argv[2])));
}

/** Adds a tensor. */
export type Put = (name: string, ...shape: number[]) => void;

/** Puts into `shapes`, under a prefix. */
export const scoped =
  (shapes: Shapes, prefix: string): Put =>
  (name, ...shape) =>
    void shapes.set(prefix + name, shape);

export const within =
  (put: Put, prefix: string): Put =>
  (name, ...shape) =>
    put(prefix + name, ...shape);

/** A layer's weight and bias. */
export function layer(put: Put, name: string, outputs: number, ...rest: number[]): void {
  put(`${name}.weight`, outputs, ...rest);
  put(`${name}.bias`, outputs);
}

/** The UNets of Stable Diffusion 1.5 and XL, and control networks on them. */
export interface UNetShapes {
  /** Channels of each level. */
  readonly width: readonly number[];
  /** Transformer blocks behind each residual block of a level. */
  readonly depth: readonly number[];
  /** Width of the text condition. */
  readonly context: number;
  /** Whether attention is entered by linear layers, not by convolutions of one cell. */
  readonly linear: boolean;
  /** Width of the vector condition. */
  readonly vector?: number;
}

export function unet(put: Put, shapes: UNetShapes): void {
  const { width, depth } = shapes;
  const skips = encoder(put, shapes);
  let n = 0;
  let channels = width.at(-1)!;
  for (const [level, c] of [...width.entries()].reverse()) {
    for (let i = 0; i < 3; i++, n++, channels = c) {
      resBlock(within(put, `output_blocks.${n}.0.`), channels + skips.pop()!, c);
      if (depth[level] > 0) {
        transformer(within(put, `output_blocks.${n}.1.`), c, depth[level], shapes);
      }
      if (i === 2 && level > 0) {
        layer(put, `output_blocks.${n}.${depth[level] > 0 ? 2 : 1}.conv`, c, c, 3, 3);
      }
    }
  }
  layer(put, 'out.0', 320);
  layer(put, 'out.2', 4, 320, 3, 3);
}

/** Everything down to the middle; gives the channels that each block hands across. */
export function encoder(put: Put, shapes: UNetShapes): number[] {
  const { width, depth, vector } = shapes;
  layer(put, 'time_embed.0', 1280, 320);
  layer(put, 'time_embed.2', 1280, 1280);
  if (vector !== undefined) {
    layer(put, 'label_emb.0.0', 1280, vector);
    layer(put, 'label_emb.0.2', 1280, 1280);
  }
  layer(put, 'input_blocks.0.0', 320, 4, 3, 3);
  const skips = [320];
  let n = 1;
  let channels = 320;
  width.forEach((c, level) => {
    for (let i = 0; i < 2; i++, n++, channels = c) {
      resBlock(within(put, `input_blocks.${n}.0.`), channels, c);
      if (depth[level] > 0) {
        transformer(within(put, `input_blocks.${n}.1.`), c, depth[level], shapes);
      }
      skips.push(c);
    }
    if (level < width.length - 1) {
      layer(put, `input_blocks.${n++}.0.op`, c, c, 3, 3);
      skips.push(c);
    }
  });
  const last = width.at(-1)!;
  resBlock(within(put, 'middle_block.0.'), last, last);
  transformer(within(put, 'middle_block.1.'), last, depth.at(-1)! || 1, shapes);
  resBlock(within(put, 'middle_block.2.'), last, last);
  return skips;
}

function resBlock(put: Put, from: number, to: number): void {
  layer(put, 'in_layers.0', from);
  layer(put, 'in_layers.2', to, from, 3, 3);
  layer(put, 'emb_layers.1', to, 1280);
  layer(put, 'out_layers.0', to);
  layer(put, 'out_layers.3', to, to, 3, 3);
  if (from !== to) layer(put, 'skip_connection', to, from, 1, 1);
}

function transformer(put: Put, c: number, depth: number, { context, linear }: UNetShapes): void {
  const cell = linear ? [] : [1, 1];
  layer(put, 'norm', c);
  layer(put, 'proj_in', c, c, ...cell);
  for (let i = 0; i < depth; i++) {
    const block = within(put, `transformer_blocks.${i}.`);
    for (const [name, from] of [
      ['attn1', c],
      ['attn2', context],
    ] as const) {
      block(`${name}.to_q.weight`, c, c);
      block(`${name}.to_k.weight`, c, from);
      block(`${name}.to_v.weight`, c, from);
      layer(block, `${name}.to_out.0`, c, c);
    }
    layer(block, 'ff.net.0.proj', 8 * c, c);
    layer(block, 'ff.net.2', c, 4 * c);
    for (const norm of ['norm1', 'norm2', 'norm3']) layer(block, norm, c);
  }
  layer(put, 'proj_out', c, c, ...cell);
}

/** The autoencoder of both. */
export function vae(put: Put): void {
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

/** CLIP-L, as transformers names its tensors. */
export function clip(put: Put): void {
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

/** OpenCLIP's text encoder of this width and depth. */
export function openClip(put: Put, width: number, depth: number): void {
  put('positional_embedding', 77, width);
  put('text_projection', width, width);
  put('token_embedding.weight', 49408, width);
  for (let i = 0; i < depth; i++) {
    const block = within(put, `transformer.resblocks.${i}.`);
    put(`transformer.resblocks.${i}.attn.in_proj_weight`, 3 * width, width);
    put(`transformer.resblocks.${i}.attn.in_proj_bias`, 3 * width);
    layer(block, 'attn.out_proj', width, width);
    layer(block, 'ln_1', width);
    layer(block, 'ln_2', width);
    layer(block, 'mlp.c_fc', 4 * width, width);
    layer(block, 'mlp.c_proj', width, 4 * width);
  }
  layer(put, 'ln_final', width);
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
