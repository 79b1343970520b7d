/** The union ControlNet's own parts, against ComfyUI's module with the same made-up numbers. */
import { expect, test } from 'vitest';
import type { NDArray } from '../../../engine/array/nd.ts';
import { hintFeatures, hintScale, typeEmbedding } from '../../../engine/arch/controlnet.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { mulDim, symbol } from '../../../engine/tensor/shape.ts';
import { type Graph, trace } from '../../../engine/tensor/trace.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { memorySource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';

/** In the order of their names, each of which counts for the numbers of its tensor. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  'control_add_embedding.linear_1.bias': [1280],
  'control_add_embedding.linear_1.weight': [1280, 2048],
  'control_add_embedding.linear_2.bias': [1280],
  'control_add_embedding.linear_2.weight': [1280, 1280],
  'input_hint_block.0.bias': [16],
  'input_hint_block.0.weight': [16, 3, 3, 3],
  'input_hint_block.10.bias': [96],
  'input_hint_block.10.weight': [96, 96, 3, 3],
  'input_hint_block.12.bias': [256],
  'input_hint_block.12.weight': [256, 96, 3, 3],
  'input_hint_block.14.bias': [320],
  'input_hint_block.14.weight': [320, 256, 3, 3],
  'input_hint_block.2.bias': [16],
  'input_hint_block.2.weight': [16, 16, 3, 3],
  'input_hint_block.4.bias': [32],
  'input_hint_block.4.weight': [32, 16, 3, 3],
  'input_hint_block.6.bias': [32],
  'input_hint_block.6.weight': [32, 32, 3, 3],
  'input_hint_block.8.bias': [96],
  'input_hint_block.8.weight': [96, 32, 3, 3],
  'spatial_ch_projs.bias': [320],
  'spatial_ch_projs.weight': [320, 320],
  task_embedding: [8, 320],
  'transformer_layes.0.attn.in_proj.bias': [960],
  'transformer_layes.0.attn.in_proj.weight': [960, 320],
  'transformer_layes.0.attn.out_proj.bias': [320],
  'transformer_layes.0.attn.out_proj.weight': [320, 320],
  'transformer_layes.0.ln_1.bias': [320],
  'transformer_layes.0.ln_1.weight': [320],
  'transformer_layes.0.ln_2.bias': [320],
  'transformer_layes.0.ln_2.weight': [320],
  'transformer_layes.0.mlp.c_fc.bias': [1280],
  'transformer_layes.0.mlp.c_fc.weight': [1280, 320],
  'transformer_layes.0.mlp.c_proj.bias': [320],
  'transformer_layes.0.mlp.c_proj.weight': [320, 1280],
};

/** Every so many-th value of the results (ComfyUI 0.3.64). */
const REFERENCE = {
  plain: [
    -0.196084, -0.26353, -0.385574, -0.221024, -0.173011, 0.13613, 0.353996, 0.381213, 0.249592,
    -0.051423, -0.07855, -0.35536,
  ],
  told: [
    3.531993, 2.751285, -3.495034, -1.675161, -0.58653, 3.814502, -1.005762, -2.000116, -2.867687,
    3.277934, 3.881146, 0.931656,
  ],
  typed: [
    -4.640954, 4.385475, -3.230704, 1.219484, 1.358788, -3.815083, 5.264462, -5.10754, 3.411685,
    -0.866632, -1.646975, 3.510824,
  ],
  untold: [
    -4.640606, 4.385318, -3.230779, 1.219771, 1.358363, -3.814629, 5.264094, -5.107355, 3.411729,
    -0.866894, -1.646562, 3.510367,
  ],
};

const size = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1);

function made(key: string, shape: readonly number[], n: number): Float32Array {
  const fan = shape.length > 1 ? size(shape.slice(1)) : 16;
  const data = Float32Array.from(
    { length: size(shape) },
    (_, i) => (Math.sin(i * 0.7310585 + n) * 1.5) / Math.sqrt(fan),
  );
  return key.includes('ln_') && key.endsWith('weight') ? data.map((value) => value + 1) : data;
}

const source = memorySource(
  'union',
  'union',
  Object.entries(shapes).map(
    ([key, shape], n) => [key, floatTensor(made(key, shape, n), shape, 'F32')] as const,
  ),
);

const hint: NDArray = {
  data: Float32Array.from({ length: 3 * 16 * 24 }, (_, i) => Math.sin(i * 0.317) * 0.5 + 0.5),
  shape: [1, 3, 16, 24],
};

const runtime = createRuntime({ threads: 2 });
const run = async (
  name: string,
  inputs: Parameters<Awaited<ReturnType<typeof runtime.session>>['run']>[0],
  build: (g: Graph) => Tensor,
): Promise<NDArray> => {
  const program = () => trace(name, source, (g) => ({ out: build(g) }));
  return (await (await runtime.session(name, program)).run(inputs)).out;
};

function expectParts({ data }: NDArray, expected: readonly number[]): void {
  const step = Math.floor(data.length / 12);
  expected.forEach((value, i) => expect(data[i * step]).toBeCloseTo(value, 4));
}

const picture = (g: Graph): Tensor =>
  g.input('hint', 'f32', [
    'batch',
    3,
    ...['height', 'width'].map((name) => mulDim(symbol(name), hintScale)),
  ]);

test('the hint alone, and with the kind it was told', async () => {
  const plain = await run('plain', { hint }, (g) => hintFeatures(g.weights, picture(g)));
  expectParts(plain, REFERENCE.plain);
  const inputs = { hint, task: { ids: [3], shape: [1] } };
  const told = await run('told', inputs, (g) =>
    hintFeatures(g.weights, picture(g), g.input('task', 'i64', [1])),
  );
  expectParts(told, REFERENCE.told);
});

test('the embedding of a kind, and of none', async () => {
  const embed = (types: NDArray): Promise<NDArray> =>
    run('types', { types }, (g) =>
      typeEmbedding(g.weights.at('control_add_embedding'), g.input('types', 'f32', [8])),
    );
  const chosen = { data: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 0), shape: [8] };
  expectParts(await embed(chosen), REFERENCE.typed);
  expectParts(await embed({ data: new Float32Array(8), shape: [8] }), REFERENCE.untold);
});
