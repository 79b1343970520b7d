/** Tiny ControlNets of transformers: shapes of a tiny model's first blocks, under the names that releases have. */
import { type Modules, flux } from '../../engine/weights/key-maps/transformer-modules.ts';
import { type Tensors, randomLayers } from './tensors.ts';

type Shapes = [key: string, shape: readonly number[]][];

/** What a ControlNet takes of a model's weights: the first block of each kind and what stands before them. */
const kept = (key: string): boolean =>
  !/^(final_layer|norm_out|proj_out)\b/.test(key) && !/blocks\.[1-9]/.test(key);

/** InstantX's and Shakker's, in the layout of the diffusers library. */
export const fluxControlNet = (model: () => Promise<Tensors>) => async (): Promise<Tensors> => {
  const ours = new Map([...(await model())].filter(([key]) => kept(key)));
  const [width, cells] = ours.get('img_in.weight')!.shape;
  const shapes: Shapes = [];
  for (const [key, { shape }] of ours) {
    const [, module, end] = /^(.*)\.(weight|bias)$/.exec(key) ?? [];
    const names = module && namesOf(flux, module);
    if (!names) continue;
    const parts = names.filter((name) => typeof name !== 'string' && !name[0].includes('qkv'));
    const whole = names.find((name) => typeof name === 'string');
    if (parts.length === 0) shapes.push([`${String(whole)}.${end}`, shape]);
    parts.forEach((name, i) => {
      const rows = i < 3 ? width : shape[0] - 3 * width;
      shapes.push([`${name[0]}.${end}`, [rows, ...shape.slice(1)]]);
    });
  }
  const head = ours.get('double_blocks.0.img_attn.norm.key_norm.scale')!.shape;
  for (const name of ['q', 'k', 'added_q', 'added_k']) {
    shapes.push([`transformer_blocks.0.attn.norm_${name}.weight`, head]);
  }
  for (const name of ['q', 'k']) {
    shapes.push([`single_transformer_blocks.0.attn.norm_${name}.weight`, head]);
  }
  return randomLayers([
    ...shapes,
    ['controlnet_x_embedder.weight', [width, cells]],
    ['controlnet_x_embedder.bias', [width]],
    ...outputs('controlnet_blocks.0', width),
    ...outputs('controlnet_single_blocks.0', width),
  ]);
};

/** InstantX's for Qwen-Image, whose names are the model's. */
export const qwenControlNet = (model: () => Promise<Tensors>) => async (): Promise<Tensors> => {
  const ours = [...(await model())].filter(([key]) => kept(key));
  const [width, cells] = ours.find(([key]) => key === 'img_in.weight')![1].shape;
  return randomLayers([
    ...ours.map(([key, { shape }]): Shapes[number] => [key, shape]),
    ['controlnet_x_embedder.weight', [width, cells]],
    ['controlnet_x_embedder.bias', [width]],
    ...outputs('controlnet_blocks.0', width),
  ]);
};

/** DiffSynth's control of Qwen-Image (models/model_patches), for its first block. */
export const blockwiseControl = (model: () => Promise<Tensors>) => async (): Promise<Tensors> => {
  const [width, cells] = (await model()).get('img_in.weight')!.shape;
  const block = 'controlnet_blocks.0';
  return randomLayers([
    ['img_in.weight', [width, cells]],
    ['img_in.bias', [width]],
    [`${block}.x_rms.weight`, [width]],
    [`${block}.y_rms.weight`, [width]],
    ...outputs(`${block}.input_proj`, width),
    ...outputs(`${block}.output_proj`, width),
  ]);
};

const outputs = (name: string, width: number): Shapes => [
  [`${name}.weight`, [width, width]],
  [`${name}.bias`, [width]],
];

/** diffusers' names of a module of a first block. */
function namesOf(modules: Modules, module: string) {
  const row = modules.find(([ours]) => ours.replace('$1', '0') === module);
  return row?.[1].map((name) =>
    typeof name === 'string' ? name.replace('$1', '0') : ([name[0].replace('$1', '0')] as const),
  );
}
