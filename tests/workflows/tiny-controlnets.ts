/** Tiny networks that steer Qwen-Image, made of a tiny model's first block, under the names that releases have. */
import { type Tensors, randomLayers } from './tensors.ts';

type Shapes = [key: string, shape: readonly number[]][];

/** InstantX's ControlNet, whose names are the model's. */
export const qwenControlNet = (model: () => Promise<Tensors>) => async (): Promise<Tensors> => {
  const isKept = (key: string): boolean => !/^(norm_out|proj_out)\b|blocks\.[1-9]/.test(key);
  const kept = [...(await model())].filter(([key]) => isKept(key));
  const [width, cells] = kept.find(([key]) => key === 'img_in.weight')![1].shape;
  return randomLayers([
    ...kept.map(([key, { shape }]): Shapes[number] => [key, shape]),
    ['controlnet_x_embedder.weight', [width, cells]],
    ['controlnet_x_embedder.bias', [width]],
    ...layer('controlnet_blocks.0', width),
  ]);
};

/** DiffSynth's control (models/model_patches). */
export const blockwiseControl = (model: () => Promise<Tensors>) => async (): Promise<Tensors> => {
  const [width, cells] = (await model()).get('img_in.weight')!.shape;
  const block = 'controlnet_blocks.0';
  return randomLayers([
    ['img_in.weight', [width, cells]],
    ['img_in.bias', [width]],
    [`${block}.x_rms.weight`, [width]],
    [`${block}.y_rms.weight`, [width]],
    ...layer(`${block}.input_proj`, width),
    ...layer(`${block}.output_proj`, width),
  ]);
};

const layer = (name: string, width: number): Shapes => [
  [`${name}.weight`, [width, width]],
  [`${name}.bias`, [width]],
];
