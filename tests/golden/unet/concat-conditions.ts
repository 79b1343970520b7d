/** What is fed beside the latent: inpaint and instruct models, and the x4 upscaler. */
import type { NDArray } from '../../../engine/array/nd.ts';
import { latentFormats } from '../../../engine/sampling/latent/formats.ts';
import type { CondTensor } from '../../../engine/sampling/model.ts';
import { extraChannelTensors } from '../../../engine/values/extra-channels.ts';
import { type CaseResult, compare } from '../area.ts';
import type { GoldenCase } from '../open-case.ts';

export interface ConcatParams {
  readonly scale_factor: number;
  readonly x4_seed: number;
  readonly x4_noise_augmentation: readonly number[];
}

/** The channels of every kind of model that has some, on the latents and the picture of a case. */
export async function concatConditions(golden: GoldenCase<ConcatParams>): Promise<CaseResult> {
  const check = (name: string, value: NDArray) =>
    compare(name, value, golden.array(name), golden.tolerance);
  const scaleFactor = golden.params.scale_factor;
  const format = { ...latentFormats.SD15, scale: scaleFactor };
  const [latent, other, mask] = ['latent', 'latent_10x10', 'mask'].map((name) =>
    golden.array(`in.${name}`),
  );
  const expected = golden.array('out.ip2p.none').shape;
  const latentShape = [expected[0], 4, ...expected.slice(2)];
  const noise: NDArray = { data: new Float32Array(0), shape: latentShape };
  const run = { latentShape, noise };
  const scaled = { data: latent.data.map((value) => value * scaleFactor), shape: latent.shape };
  const x4 = (augmentation: number) =>
    extraChannelTensors(
      'low-resolution',
      { extra: { concat_image: golden.array('in.image'), noise_augmentation: augmentation } },
      { ...run, seed: golden.params.x4_seed },
      format,
    );
  const got: Record<string, Readonly<Record<string, CondTensor>>> = {
    'inpaint.blank': extraChannelTensors('inpaint', {}, run, format),
    'inpaint.mask_image': extraChannelTensors(
      'inpaint',
      { concatLatent: latent, concatMask: mask },
      run,
      format,
    ),
    'inpaint.denoise_mask_only': extraChannelTensors(
      'inpaint',
      {},
      { ...run, denoiseMask: mask, latentImage: scaled },
      format,
    ),
    'ip2p.none': extraChannelTensors('instruct', {}, run, format),
    'ip2p.same': extraChannelTensors('instruct', { concatLatent: latent }, run, format),
    'ip2p.resized': extraChannelTensors('instruct', { concatLatent: other }, run, format),
  };
  const channels = Object.entries(got).map(([name, { concat }]) =>
    check(`out.${name}`, concat.value),
  );
  const noised = golden.params.x4_noise_augmentation.flatMap((augmentation) => {
    const { concat, level } = x4(augmentation);
    return [
      check(`out.x4.concat.${augmentation}`, concat.value),
      compare(
        `out.x4.level.${augmentation}`,
        level.value,
        golden.numbers(`out.x4.level.${augmentation}`),
        { atol: 0, rtol: 0 },
      ),
    ];
  });
  return { comparisons: [...channels, ...noised] };
}
