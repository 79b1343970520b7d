/** Controls of a model block by block (DiffSynth): the change `block-control` of a model. */
import { controlledBlocks, detectBlockwise } from '../arch/blockwise-control.ts';
import { concat, rows } from '../array/batch.ts';
import { channelsLast } from '../array/layout.ts';
import { type NDArray, full, reshape } from '../array/nd.ts';
import { commonUpscale } from '../array/resize.ts';
import type { NetworkChange } from '../sampling/conditioning.ts';
import { latentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import { openWeights } from '../tensor/cursor.ts';
import { blockwisePatch } from './blockwise-patch.ts';
import type { BoundChange, ChangeRun } from './change.ts';
import { hintsOf } from './control-hint.ts';
import type { Image } from './media.ts';
import { type ModelPatch, misfitPatch } from './model-patch.ts';
import { type Vae, encode } from './vae.ts';

export interface BlockControl extends NetworkChange {
  /** Tells it from the model's others. */
  readonly name: string;
  readonly net: ModelPatch;
  readonly vae: Vae;
  readonly image: Image;
  /** [n, 1, h, w]: 0 where the picture is painted anew; left out: nowhere. */
  readonly mask?: NDArray | undefined;
  readonly strength: number;
}

/** Latents that the networks were trained on. */
const format = 'Wan21';
const colours = 3;

/** A control bound to a run. Throws BAD_INPUT, naming its file, where it does not fit the model. */
export function bindBlockControl(control: BlockControl, run: ChangeRun): BoundChange {
  const { name, net, vae, image, mask, strength } = control;
  const { source } = net;
  const config = detectBlockwise(openWeights(source))!;
  const blocks = controlledBlocks;
  const width = run.network.source.tensors.get('img_in.weight')?.shape[0];
  const isOther = run.family.blocks?.double !== blocks;
  if (isOther || width !== config.width) {
    const got = isOther ? run.family.title : `one of width ${width}`;
    throw misfitPatch(net, `a Qwen-Image of width ${config.width}`, got);
  }
  const { space } = vae.factor;
  const hints = hintsOf(image, {
    channels: colours,
    method: 'area',
    size: ({ height, width }) => ({ height: height * space, width: width * space }),
    async run(picture, index) {
      const latent = processIn(latentFormat(format), await encode(vae, channelsLast(picture), run));
      return { hint: config.masks > 0 ? concat([latent, masksOf(latent, index)], 1) : latent };
    },
  });
  return {
    cellBytes: config.width, // the hint's tokens: 4 bytes for 4 cells
    async patches(input) {
      const { hint } = await hints.forCall(input);
      return [blockwisePatch(name, { source, config, blocks, hint, strength })];
    },
  };

  /** The mask at the latent's size on as many channels as the network reads. */
  function masksOf({ shape }: NDArray, index: number): NDArray {
    const [height, width] = shape.slice(-2);
    if (!mask) return full([1, config.masks, ...shape.slice(2)], 1);
    const at = index % mask.shape[0];
    const sized = commonUpscale(rows(mask, at, at + 1), width, height, 'bilinear', 'disabled');
    const one = reshape(sized, [1, 1, ...shape.slice(2)]);
    return concat(new Array<NDArray>(config.masks).fill(one), 1);
  }
}
