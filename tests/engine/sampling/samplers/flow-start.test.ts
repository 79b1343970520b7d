import { describe, expect, it } from 'vitest';
import { nd, type NDArray } from '../../../../engine/array/nd.ts';
import { createModelSampling } from '../../../../engine/sampling/model-sampling.ts';
import type { Denoise } from '../../../../engine/sampling/samplers/sampler.ts';
import { samplerByName } from '../../../../engine/sampling/samplers/table.ts';

const f = Math.fround;
const shape = [1, 1, 2, 2];

/** A flow denoiser whose every operation is rounded to fp32. */
const denoise: Denoise = (x, sigma) => {
  const s = f(sigma);
  const a = f(f(1 - s) / f(f(f(1 - s) ** 2) + f(s * s)));
  const denoised = nd(
    x.data.map((v) => f(f(a * v) + f(f(1 - a) * 0.25))),
    shape,
  );
  return Promise.resolve({ denoised, uncond: denoised });
};

/** Noise k is cos(1.7·k + element). */
function countedNoise(): () => NDArray {
  let k = 0;
  return () => {
    k++;
    return nd(
      Float32Array.from([0, 1, 2, 3], (i) => Math.cos(1.7 * k + i)),
      shape,
    );
  };
}

/**
 * Results of the reference's formulas in fp32, operation by operation (numpy), on the sgm_uniform
 * schedules of flow models. Their first sigma is moved to 0.9999…, where alpha is a small difference and
 * the last digit of lambda decides what an ancestral step keeps of x.
 */
const runs = [
  {
    shift: 3,
    sigmas: [1.0, 0.90035909, 0.7511211, 0.50298506, 0.0],
    samples: {
      dpmpp_sde: [-0.21703251, 0.00480416, 0.28495511, 0.36594337],
      dpmpp_2m_sde: [-0.08889318, 0.33700964, 0.52551043, 0.30336705],
      dpmpp_2m_sde_heun: [-0.1127909, 0.32656381, 0.53466755, 0.32025519],
      dpmpp_3m_sde: [-0.12803543, 0.32077739, 0.54161197, 0.33149853],
      er_sde: [-0.20502822, -0.24136342, 0.02869532, 0.35686079],
      seeds_2: [-0.29365173, -0.1087207, 0.23890933, 0.42969352],
      seeds_3: [0.05747799, -0.13122115, -0.14709581, 0.0245137],
    },
  },
  {
    shift: 3,
    sigmas: [1.0, 0.92334247, 0.81892329, 0.66832668, 0.43222505, 0.0],
    samples: {
      dpmpp_sde: [0.24497858, 0.0613602, -0.14532995, -0.18497171],
      dpmpp_2m_sde: [0.39611557, 0.39449003, 0.07185384, -0.27509812],
      dpmpp_2m_sde_heun: [0.39723867, 0.42104974, 0.09341858, -0.28436756],
      dpmpp_3m_sde: [0.46149153, 0.52188259, 0.12962367, -0.35457945],
      er_sde: [-0.09226677, -0.22117721, -0.08414198, 0.19285202],
      seeds_2: [0.33192825, 0.19944784, -0.08305194, -0.25577736],
      seeds_3: [0.28695109, 0.12936255, -0.12758186, -0.2475839],
    },
  },
  {
    shift: 8,
    sigmas: [1.0, 0.96040583, 0.89044851, 0.73348153, 0.0],
    samples: {
      dpmpp_sde: [-0.00200443, 0.20282856, 0.37213865, 0.3502993],
      dpmpp_2m_sde: [0.15823838, 0.38828397, 0.41344777, 0.21061857],
      dpmpp_2m_sde_heun: [0.1559927, 0.38731986, 0.41433054, 0.21221554],
      dpmpp_3m_sde: [0.1545523, 0.38677174, 0.41498512, 0.2132775],
      er_sde: [0.01292421, 0.0967111, 0.24473132, 0.32089597],
      seeds_2: [-0.05599119, 0.09781777, 0.31265479, 0.39102405],
      seeds_3: [0.09171984, 0.00870737, 0.06763474, 0.21434861],
    },
  },
  {
    shift: 8,
    sigmas: [1.0, 0.96998829, 0.92401302, 0.84472305, 0.67533314, 0.0],
    samples: {
      dpmpp_sde: [0.2728821, 0.03635469, -0.10469383, -0.02058406],
      dpmpp_2m_sde: [0.44369829, 0.2814846, -0.00882728, -0.16030174],
      dpmpp_2m_sde_heun: [0.44443208, 0.28517389, -0.00626936, -0.16192186],
      dpmpp_3m_sde: [0.45283085, 0.29827064, -0.00161391, -0.17108607],
      er_sde: [0.13190375, 0.09477574, 0.10349323, 0.15004155],
      seeds_2: [0.36555654, 0.18387091, -0.03797068, -0.0959838],
      seeds_3: [0.28825146, 0.10841598, -0.04397815, -0.02879623],
    },
  },
];

describe('samplers in half log SNR at the start of a flow', () => {
  const cases = runs.flatMap(({ shift, sigmas, samples }) =>
    Object.entries(samples).map(([name, expected]) => ({ shift, sigmas, name, expected })),
  );
  it.each(cases)('$name with shift $shift', async ({ shift, sigmas, name, expected }) => {
    const noise = countedNoise();
    const got = await samplerByName(name).run(
      denoise,
      nd(Float32Array.of(-1.5, -0.25, 0.5, 2), shape),
      Float32Array.from(sigmas),
      {
        sampling: createModelSampling({ prediction: 'flow', schedule: { shift } }),
        noise,
        globalNoise: noise,
        step: () => Promise.resolve(),
      },
    );
    const errors = expected.map((value, i) => Math.abs(value - got.data[i]));
    expect(Math.max(...errors)).toBeLessThan(1e-6);
  });
});
