/** Into and out of a network's latent space. */
import type { NDArray } from '../../array/nd.ts';
import type { LatentFormat } from './formats.ts';

/** VAE units -> network units: (x - shift)·scale, or per channel (x - mean)·scale/std. */
export function processIn(format: LatentFormat, latent: NDArray): NDArray {
  return perChannel(latent, format, (x, shift, gain) => (x - shift) * gain);
}

/** Network units -> VAE units, the inverse of `processIn`. */
export function processOut(format: LatentFormat, latent: NDArray): NDArray {
  return perChannel(latent, format, (x, shift, gain) => x / gain + shift);
}

/** f with each channel's shift and gain; channels beyond the format's repeat them from the start. */
function perChannel(
  latent: NDArray,
  { mean, std, shift = 0, scale }: LatentFormat,
  f: (x: number, shift: number, gain: number) => number,
): NDArray {
  const [batch, channels] = latent.shape;
  const inner = latent.data.length / (batch * channels);
  const data = new Float32Array(latent.data.length);
  for (let row = 0; row < batch * channels; row++) {
    const c = row % channels;
    const channelShift = mean ? mean[c % mean.length] : shift;
    const gain = std ? scale / std[c % std.length] : scale;
    for (let i = row * inner; i < (row + 1) * inner; i++) {
      data[i] = f(latent.data[i], channelShift, gain);
    }
  }
  return { data, shape: latent.shape };
}
