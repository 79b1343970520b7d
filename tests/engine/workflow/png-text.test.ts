import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readImageWorkflow, readPngText } from '../../../engine/workflow/png-text.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
};

const png = (...chunks: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    ...chunks,
    chunk('IEND', Buffer.alloc(0)),
  ]);

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('readPngText', () => {
  it('reads all three kinds of text chunk', async () => {
    const file = png(
      chunk('tEXt', latin('prompt\0{"a": "caf\u00e9"}')),
      chunk('zTXt', Buffer.concat([latin('long\0\0'), deflateSync('x'.repeat(5000))])),
      chunk('iTXt', Buffer.concat([latin('workflow\0\0\0en\0\0'), Buffer.from('{"日": 1}')])),
      chunk('iTXt', Buffer.concat([latin('packed\0\x01\0\0\0'), deflateSync(Buffer.from('日'))])),
    );
    const texts = await readPngText(file);
    expect(texts.get('prompt')).toBe('{"a": "caf\u00e9"}');
    expect(texts.get('long')).toHaveLength(5000);
    expect(texts.get('workflow')).toBe('{"日": 1}');
    expect(texts.get('packed')).toBe('日');
    expect(await readImageWorkflow(file)).toEqual({
      prompt: '{"a": "caf\u00e9"}',
      workflow: '{"日": 1}',
    });
  });

  it('leaves out what is broken', async () => {
    const file = png(
      chunk('zTXt', Buffer.concat([latin('bad\0\0'), Buffer.from('no zlib')])),
      chunk('iTXt', latin('short\0')),
      chunk('tEXt', latin('nothing')),
      chunk('tEXt', latin('good\0yes')),
    );
    expect([...(await readPngText(file))]).toEqual([['good', 'yes']]);
    const cut = file.subarray(0, file.length - 20);
    expect([...(await readPngText(cut))]).toEqual([]);
    const lying = png(chunk('tEXt', latin('a\0b')));
    lying.writeUInt32BE(0xffffffff, 8);
    expect([...(await readPngText(lying))]).toEqual([]);
    expect(await readImageWorkflow(new Uint8Array([1, 2, 3]))).toEqual({});
    expect(await readImageWorkflow(new Uint8Array())).toEqual({});
  });

  it('refuses compression bombs', async () => {
    const bomb = Buffer.concat([latin('bomb\0\0'), deflateSync(Buffer.alloc(100 << 20))]);
    expect((await readPngText(png(chunk('zTXt', bomb)))).size).toBe(0);
    const half = deflateSync(Buffer.alloc(40 << 20));
    const part = (key: string): Buffer =>
      chunk('iTXt', Buffer.concat([latin(`${key}\0\x01\0\0\0`), half]));
    // Each is small enough; together they are not.
    expect([...(await readPngText(png(part('a'), part('b')))).keys()]).toEqual(['a']);
  });

  it('reads ComfyUI’s chunk of animations, and UTF-8 where Latin-1 is due', async () => {
    const file = png(
      chunk('comf', latin('workflow\0{"nodes": []}')),
      chunk('tEXt', Buffer.from('prompt\0{"a": "日本 ä"}')),
    );
    expect(await readImageWorkflow(file)).toEqual({
      prompt: '{"a": "日本 ä"}',
      workflow: '{"nodes": []}',
    });
  });

  it('takes the last of equal keywords, and none that nobody wants', async () => {
    const file = png(chunk('tEXt', latin('a\0one')), chunk('tEXt', latin('a\0two')));
    expect([...(await readPngText(file))]).toEqual([['a', 'two']]);
    expect((await readPngText(file, (key) => key === 'b')).size).toBe(0);
  });
});

describe('WebP', () => {
  it('reads ComfyUI’s EXIF tags', async () => {
    const file = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .withExif({ IFD0: { Model: 'prompt:{"1": {}}', Make: 'workflow:{"nodes": []}' } })
      .webp()
      .toBuffer();
    expect(await readImageWorkflow(file)).toEqual({
      prompt: '{"1": {}}',
      workflow: '{"nodes": []}',
    });
    for (let end = 0; end < file.length; end += 7) {
      await readImageWorkflow(file.subarray(0, end));
    }
  });

  /** A WebP shell around one EXIF directory; every tag names the same text. */
  const webp = (text: Buffer, tags: number): Buffer => {
    const tiff = Buffer.alloc(10 + tags * 12);
    tiff.write('II*\0\x08\0\0\0', 'latin1');
    tiff.writeUInt16LE(tags, 8);
    for (let i = 0; i < tags; i++) {
      const at = 10 + i * 12;
      tiff.writeUInt16LE(0x100 + i, at);
      tiff.writeUInt16LE(2, at + 2);
      tiff.writeUInt32LE(text.length, at + 4);
      tiff.writeUInt32LE(tiff.length, at + 8);
    }
    const size = Buffer.alloc(4);
    size.writeUInt32LE(tiff.length + text.length);
    return Buffer.concat([latin('RIFF\0\0\0\0WEBPEXIF'), size, tiff, text]);
  };

  it('reads texts of any letters', async () => {
    const file = webp(Buffer.from('Workflow:{"nodes": ["日本:ä"]}\0\0'), 1);
    expect((await readImageWorkflow(file)).workflow).toBe('{"nodes": ["日本:ä"]}');
  });

  it('spends no more time on hostile tags than on honest ones', async () => {
    const nuls = Buffer.concat([latin('a:'), Buffer.alloc(1 << 20), latin('x')]);
    const spent = cpuTimer();
    expect((await readImageWorkflow(webp(nuls, 1))).prompt).toBeUndefined();
    // Tens of thousands of tags that all name one large text.
    await readImageWorkflow(webp(Buffer.concat([latin('a:'), Buffer.alloc(4 << 20, 120)]), 60_000));
    expect(spent()).toBeLessThan(5000);
  });
});
