import { describe, expect, it } from 'vitest';
import { full, nd } from '../../../../engine/array/nd.ts';
import { latentFormat } from '../../../../engine/sampling/latent/formats.ts';
import { processIn, processOut } from '../../../../engine/sampling/latent/process.ts';
import { latentPreview } from '../../../../engine/sampling/latent/preview.ts';

describe('latentPreview', () => {
  it('maps channels to colours and cuts to bytes', () => {
    // one unit of channel 0: (0.3512 + 1) / 2 * 255 = 172.28, (0.2297 + 1) / 2 * 255 = 156.79 …
    const latent = nd(Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0), [1, 4, 1, 2]);
    const preview = latentPreview(latentFormat('SD15'), latent)!;
    expect(preview).toMatchObject({ width: 2, height: 1 });
    expect([...preview.rgb]).toEqual([172, 156, 168, 127, 127, 127]);
  });

  it('shows the first frame of a video and nothing where a format has no colours', () => {
    expect(latentPreview(latentFormat('Wan21'), full([2, 16, 3, 4, 5], 0))).toMatchObject({
      width: 5,
      height: 4,
    });
    expect(latentPreview(latentFormat('StableAudio1'), full([1, 64, 9], 0))).toBeUndefined();
  });
});

it('process out undoes process in for every kind of format', () => {
  for (const name of ['SD15', 'SD3', 'SDXL_Playground_2_5']) {
    const format = latentFormat(name);
    const x = full([1, format.channels, 2, 2], 0.7);
    const back = processOut(format, processIn(format, x));
    for (const value of back.data) expect(value).toBeCloseTo(0.7, 5);
  }
});

it('names a latent format that is not known', () => {
  expect(() => latentFormat('constructor')).toThrow(/one of SD15/);
});
