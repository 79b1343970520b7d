/** Hints of transformers' control networks: pictures, or their latents with a mask beside them. */
import type { ControlHint } from '../arch/transformer-control.ts';
import { concat, rows } from '../array/batch.ts';
import { map } from '../array/elementwise.ts';
import { channelsLast } from '../array/layout.ts';
import { type NDArray, reshape } from '../array/nd.ts';
import { commonUpscale } from '../array/resize.ts';
import { latentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import { type Hints, hintsOf } from './control-hint.ts';
import { type Control, misfit } from './control-net.ts';
import { pixelsPerCell } from './media.ts';
import type { NetworkRun } from './network.ts';
import { encode } from './vae.ts';

const colours = 3;

/** What the network is fed of a control's pictures. Throws BAD_INPUT where it needs a VAE and there is none. */
export function transformerHints(
  control: Control,
  hint: ControlHint,
  run: NetworkRun,
): Hints<{ readonly hint: NDArray }> {
  const { net, image, vae, mask } = control;
  const scaled = (factor: number) => (latent: { height: number; width: number }) => ({
    height: latent.height * factor,
    width: latent.width * factor,
  });
  if (hint.kind === 'picture') {
    return hintsOf(image, {
      channels: colours,
      size: scaled(pixelsPerCell),
      run: async (picture) => ({ hint: picture }),
    });
  }
  if (!vae) throw misfit(net, 'a VAE at the node that applies it', 'none');
  const { shift, ...format } = latentFormat(hint.format);
  const known = hint.unshifted ? format : { ...format, shift };
  const prepare = net.preparedFor === undefined ? undefined : hint.preparations?.[net.preparedFor];
  return hintsOf(image, {
    channels: colours,
    size: scaled(vae.factor.space),
    async run(picture, index) {
      const prepared = prepare ? map(picture, prepare) : picture;
      const latent = processIn(known, await encode(vae, channelsLast(prepared), run));
      return { hint: hint.masked ? concat([latent, maskOf(latent, index)], 1) : latent };
    },
  });

  /** 0 where the picture is painted anew, of the latent's size; without a mask 1. */
  function maskOf({ shape }: NDArray, index: number): NDArray {
    const [height, width] = shape.slice(-2);
    const whole = [1, 1, ...shape.slice(2)];
    if (!mask) return { data: new Float32Array(height * width).fill(1), shape: whole };
    const at = index % mask.shape[0];
    const sized = commonUpscale(rows(mask, at, at + 1), width, height, 'nearest-exact', 'center');
    return reshape(sized, whole);
  }
}
