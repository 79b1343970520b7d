import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { embeddedTexts } from '../../web/graph/png-metadata.ts';
import { pngWithText } from './support/png-with-text.ts';

const workflow = JSON.stringify({ nodes: [], links: [], note: 'äöü 日本' });

describe('workflow texts in pictures', () => {
  test('PNG tEXt with escaped JSON, as ComfyUI writes it', async () => {
    const png = await pngWithText([
      { key: 'prompt', text: '{"1":{"class_type":"A","inputs":{}}}' },
      { key: 'workflow', text: '{"a":"\\u00e4"}' },
    ]);
    expect(await embeddedTexts(png)).toEqual({
      prompt: '{"1":{"class_type":"A","inputs":{}}}',
      workflow: '{"a":"\\u00e4"}',
    });
  });

  test.each(['iTXt', 'iTXt compressed'] as const)('PNG %s', async (kind) => {
    const png = await pngWithText([{ key: 'workflow', text: workflow, kind }]);
    expect((await embeddedTexts(png)).workflow).toBe(workflow);
  });

  test('WebP EXIF strings', async () => {
    const webp = await sharp({
      create: { width: 4, height: 4, channels: 3, background: 'red' },
    })
      .withExif({ IFD0: { Make: 'workflow:{"nodes":[]}', Model: 'prompt:{"1":{}}' } })
      .webp()
      .toBuffer();
    expect(await embeddedTexts(webp)).toEqual({ workflow: '{"nodes":[]}', prompt: '{"1":{}}' });
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('hello world, this is no picture')],
    ['a cut PNG', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0xff, 0xff, 0xff, 0xff])],
  ])('%s has none', async (_what, bytes) => {
    expect(await embeddedTexts(bytes)).toEqual({});
  });
});
