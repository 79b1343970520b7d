/** Latents of Cosmos Predict2 that begin or end with given pictures. */
import { concat, repeatToBatch, sliceAxis } from '../engine/array/batch.ts';
import { type NDArray, full, zeros } from '../engine/array/nd.ts';
import { upscaleImage } from '../engine/array/resize.ts';
import { type NodeDefinition, defineNode, image, int, optional, vae } from '../engine/node.ts';
import { latentFormat } from '../engine/sampling/latent/formats.ts';
import { processOut } from '../engine/sampling/latent/process.ts';
import { type Image, cells } from '../engine/values/media.ts';
import { encode } from '../engine/values/vae.ts';
import { promptRun } from './prompt-run.ts';

/** Frames that the first one's latent frame and each further one stand for, and those of a group of pictures. */
const TIME = 4;
const GROUP = 8;
const GREY = 0.5;

const groups = (pictures: number): number => Math.floor((pictures - 1) / GROUP) + 1;

/** Pictures at a size, at most `length` of them, and grey ones behind them for so many further groups. */
function padded(pictures: Image, size: Size, further: number): Image {
  const { width, height, length } = size;
  const [count] = pictures.shape;
  const first = sliceAxis(sliceAxis(pictures, 0, 0, Math.min(count, length)), 3, 0, 3);
  const fitted = upscaleImage(first, width, height, 'bilinear', 'center');
  const [kept] = fitted.shape;
  const wanted = Math.min(length, (groups(kept) + further) * GROUP - (GROUP - 1));
  if (wanted <= kept) return sliceAxis(fitted, 0, 0, wanted);
  return concat([fitted, full([wanted - kept, height, width, 3], GREY)]);
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly length: number;
}

/** x with `part` in place of its frames from `at` on. */
function placed(x: NDArray, part: NDArray, at: number): NDArray {
  const end = at + part.shape[2];
  return concat([sliceAxis(x, 2, 0, at), part, sliceAxis(x, 2, end, x.shape[2])], 2);
}

export const cosmosPredict2ImageToVideoLatent = defineNode({
  name: 'CosmosPredict2ImageToVideoLatent',
  category: 'conditioning/inpaint',
  description:
    'An empty latent for Cosmos Predict2, of which the first or last frames may be pictures.',
  module: 'comfy_extras.nodes_cosmos',
  form: 'v3',
  inputs: {
    vae: vae({}),
    width: int({ default: 848, min: 16, max: 16384, step: 16 }),
    height: int({ default: 480, min: 16, max: 16384, step: 16 }),
    length: int({ default: 93, min: 1, max: 16384, step: 4 }),
    batch_size: int({ default: 1, min: 1, max: 4096 }),
    start_image: optional(image({})),
    end_image: optional(image({})),
  },
  outputs: [{ type: 'LATENT' }],
  async run({ vae: model, batch_size, start_image, end_image, ...size }, context) {
    const { width, height, length } = size;
    const grid = [Math.floor((length - 1) / TIME) + 1, cells(height), cells(width)];
    let latent: NDArray = zeros([1, 16, ...grid]);
    if (!start_image && !end_image) return [{ samples: latent }];
    const format = latentFormat('Wan21');
    let mask: NDArray = full([1, 1, ...grid], 1);
    latent = processOut(format, latent);
    for (const [pictures, isEnd] of [
      [start_image, false],
      [end_image, true],
    ] as const) {
      if (!pictures) continue;
      const seen = padded(pictures, size, isEnd ? 0 : 1);
      const encoded = await encode(model, seen, promptRun(context));
      const kept = sliceAxis(encoded, 2, 0, groups(Math.min(pictures.shape[0], length)));
      const at = isEnd ? grid[0] - kept.shape[2] : 0;
      latent = placed(latent, kept, at);
      mask = placed(mask, zeros([1, 1, ...kept.shape.slice(2)]), at);
    }
    return [
      {
        samples: repeatToBatch(latent, batch_size),
        noise_mask: repeatToBatch(mask, batch_size),
      },
    ];
  },
});

export const cosmosNodes: readonly NodeDefinition[] = [cosmosPredict2ImageToVideoLatent];
