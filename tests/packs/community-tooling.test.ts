/** The community pack: pictures as text, Krita's stand-ins, the nodes of walkthroughs. */
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import type { NDArray } from '../../engine/node.ts';
import { calling, graphOf, resultOf } from './support.ts';

const array = (shape: number[], data: number[]): NDArray => ({
  shape,
  data: Float32Array.from(data),
});

describe('pictures as text', () => {
  const png = async (channels: 3 | 4, bytes: number[]): Promise<string> => {
    const data = Uint8Array.from(bytes);
    const file = await encodePng({ width: 2, height: 1, channels, data }, { level: 4 });
    return Buffer.from(file).toString('base64');
  };

  it('are read with and without the head of a data URL; the mask is the alpha', async () => {
    const text = await png(4, [255, 0, 0, 51, 0, 255, 0, 255]);
    for (const image of [text, `data:image/png;base64,${text}`]) {
      const [picture, mask] = (await resultOf('ETN_LoadImageBase64', { image })) as NDArray[];
      expect([...picture.data]).toEqual([1, 0, 0, 0, 1, 0]);
      expect(mask.data[0]).toBeCloseTo(0.2, 6);
      expect(mask.data[1]).toBe(1);
    }
  });

  it('have no mask without alpha; masks are the red channel', async () => {
    const text = await png(3, [51, 1, 2, 255, 3, 4]);
    expect((await resultOf('ETN_LoadImageBase64', { image: text }))[1]).toBeNull();
    const [mask] = (await resultOf('ETN_LoadMaskBase64', { mask: text })) as NDArray[];
    expect(mask.shape).toEqual([1, 1, 2]);
    expect([...mask.data].map((v) => Math.round(v * 255))).toEqual([51, 255]);
  });

  it('that are none are refused', async () => {
    await expect(resultOf('ETN_LoadImageBase64', { image: 'aGVsbG8=' })).rejects.toThrow(/format/);
  });

  it('get masks as their alpha, one for all or one each', async () => {
    const image = array([2, 1, 1, 3], [1, 2, 3, 4, 5, 6]);
    const one = await resultOf('ETN_ApplyMaskToImage', { image, mask: array([1, 1, 1], [0.5]) });
    expect([...(one[0] as NDArray).data]).toEqual([1, 2, 3, 0.5, 4, 5, 6, 0.5]);
    const each = await resultOf('ETN_ApplyMaskToImage', { image, mask: array([2, 1, 1], [0, 1]) });
    expect([...(each[0] as NDArray).data]).toEqual([1, 2, 3, 0, 4, 5, 6, 1]);
    const wide = { image, mask: array([1, 1, 2], [0, 1]) };
    await expect(resultOf('ETN_ApplyMaskToImage', wide)).rejects.toThrow(/expected 1×1.*got 2×1/);
  });
});

describe('Krita', () => {
  it('is stood in for', async () => {
    const [image, width, height, seed, mask] = await resultOf('ETN_KritaCanvas', {});
    expect((image as NDArray).shape).toEqual([1, 512, 512, 3]);
    expect([width, height, seed]).toEqual([512, 512, 0]);
    expect((mask as NDArray).shape).toEqual([1, 512, 512]);
    await expect(resultOf('ETN_KritaStyle', {})).rejects.toThrow(/Krita/);
  });

  it('parameters are their defaults, numbers where they say so', async () => {
    const value = async (type: string, text: unknown): Promise<unknown> =>
      (await resultOf('ETN_Parameter', { type, default: text }))[0];
    expect(await value('number', '1.5')).toBe(1.5);
    expect(await value('number (integer)', '-7')).toBe(-7);
    expect(await value('text', '1.5')).toBe('1.5');
    expect(await value('auto', '3')).toBe('3');
    await expect(value('number', 'x')).rejects.toThrow("expected a number, got 'x'");
  });

  it('outputs go over the websocket', async () => {
    const { classes } = await graphOf('ETN_KritaOutput', { images: ['1', 0] });
    expect(classes).toEqual(['SaveImageWebsocket', 'PreviewImage']);
  });

  it('texts are named', async () => {
    const sent = await calling('ETN_KritaSendText', { value: 5, name: 'Count', type: 'html' });
    expect(sent).toEqual({
      ui: { text: [{ name: 'Count', text: '5', 'content-type': 'text/html' }] },
    });
  });
});

describe('nodes of walkthroughs', () => {
  it('Image Selector takes the picture that is most of something', async () => {
    const images = array([3, 1, 1, 3], [0.9, 0.8, 0.7, 0.5, 0.1, 0.1, 0.1, 0.1, 0.6]);
    const best = async (mode: string): Promise<number[]> =>
      [...((await resultOf('Image Selector', { images, mode }))[0] as NDArray).data].map(
        (v) => Math.round(v * 10) / 10,
      );
    expect(await best('brightest')).toEqual([0.9, 0.8, 0.7]);
    expect(await best('reddest')).toEqual([0.5, 0.1, 0.1]);
    expect(await best('greenest')).toEqual([0.9, 0.8, 0.7]);
    expect(await best('bluest')).toEqual([0.1, 0.1, 0.6]);
  });

  it('texts are passed, joined and split', async () => {
    expect(await resultOf('PassthroughText', { text: 'a' })).toEqual(['a']);
    expect(await resultOf('JoinText', { left: 'a', right: 'b' })).toEqual(['a|b']);
    expect(await resultOf('SplitText', { text: 'alpha|omega' })).toEqual(['alpha', 'omega']);
  });
});
