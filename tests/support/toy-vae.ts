/** An autoencoder small enough to be written down twice: here and for a reference program. */
import { nd } from '../../engine/array/nd.ts';
import type { AutoencoderKind, Vae } from '../../engine/values/vae.ts';
import { memorySource } from '../../engine/weights/source.ts';
import { unitNumbers } from './hashed-weights.ts';

/** Means of 8 x 8 pixels, mixed into 16 channels. */
export function toyVae(video: boolean): Vae {
  const [channels, space] = [16, 8];
  const mix = unitNumbers('toy-vae', [channels, 3]).map((u) => u * 2);
  const kind: AutoencoderKind = {
    detect: () => undefined,
    decode: () => Promise.reject(new Error('never asked')),
    bytes: () => 1,
    async encode(_, { data, shape }) {
      const [height, width] = shape.slice(-2);
      const [h, w] = [height / space, width / space];
      const out = new Float32Array(channels * h * w);
      for (let c = 0; c < 3; c++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const value = data[(c * height + y) * width + x] / space ** 2;
            const cell = Math.floor(y / space) * w + Math.floor(x / space);
            for (let o = 0; o < channels; o++) out[o * h * w + cell] += mix[o * 3 + c] * value;
          }
        }
      }
      return nd(out, [1, channels, ...(video ? [1] : []), h, w]);
    },
  };
  const factor = video ? { space, time: 4 } : { space };
  const source = memorySource('toy', 'toy', []);
  return { kind, config: {}, latentChannels: channels, factor, source, patches: [] };
}
