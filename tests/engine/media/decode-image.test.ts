import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../engine/media/decode-image.ts';
import type { Frame } from '../../../engine/media/frame.ts';
import { chunk } from '../../../engine/media/formats/png/encode.ts';

/**
 * Small files of every format, written by Pillow 12.3 or by hand, with digests of the pixels that
 * Pillow reads from them as LoadImage (rgb, alpha) and LoadImageMask (rgba of the first frame) do.
 */
interface Fixture {
  readonly name: string;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly rgb: string;
  readonly alpha?: string;
  readonly rgba: string;
  readonly file: string;
}

const fixtures = JSON.parse(
  readFileSync(new URL('../../fixtures/pictures.json', import.meta.url), 'utf8'),
) as Fixture[];

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

function rgbaOf({ width, height, rgb, alpha, keyedAlpha }: Frame): Uint8Array {
  const out = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    out.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
    out[i * 4 + 3] = (alpha ?? keyedAlpha)?.[i] ?? 255;
  }
  return out;
}

const PROGRESSIVE =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwg' +
  'JC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIy' +
  'MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/wgARCAAQABgDASIAAhEBAxEB/8QA' +
  'FgABAQEAAAAAAAAAAAAAAAAABQAG/8QAFwEAAwEAAAAAAAAAAAAAAAAAAgMEBf/aAAwDAQACEAMQAAAB' +
  'zKDaAzC2qnb/AP/EABcQAAMBAAAAAAAAAAAAAAAAAAACBAP/2gAIAQEAAQUCScScScScScXA/8QAFxEA' +
  'AwEAAAAAAAAAAAAAAAAAAAMEIv/aAAgBAwEBPwGW8Vdk/8QAGREAAgMBAAAAAAAAAAAAAAAAAQIAAwQh' +
  '/9oACAECAQE/AUsh1Vpx2An/xAAUEAEAAAAAAAAAAAAAAAAAAAAg/9oACAEBAAY/Al//xAAXEAADAQ==';

describe('decodeImage', () => {
  it.each(fixtures.map((fixture) => [fixture.name, fixture] as const))(
    '%s has the pixels that Pillow reads',
    async (_, fixture) => {
      const { frames } = await decodeImage(Buffer.from(fixture.file, 'base64'));
      const [{ width, height }] = frames;
      const kept = frames.filter((frame) => frame.width === width && frame.height === height);
      expect([kept.length, width, height]).toEqual([fixture.frames, fixture.width, fixture.height]);
      expect(digest(kept.map(({ rgb }) => rgb))).toBe(fixture.rgb);
      const opaque = new Uint8Array(width * height).fill(255);
      const hasAlpha = kept.some(({ alpha }) => alpha);
      const alpha = hasAlpha ? digest(kept.map((frame) => frame.alpha ?? opaque)) : undefined;
      expect(alpha).toBe(fixture.alpha);
      expect(digest([rgbaOf(kept[0])])).toBe(fixture.rgba);
    },
  );

  /** A progressive JPEG of 24 x 16 that breaks off; digests (MD5) of what Pillow 12.3 reads of it. */
  it.each([
    [243, '045553'],
    [250, 'c6f6c3'],
    [256, 'dd24e9'],
    [271, 'dd24e9'],
    [276, 'c6f6c3'],
    [283, 'dd24e9'],
    [300, 'dd24e9'],
    [331, '050213'],
    [357, 'dd24e9'],
    [375, 'b917b9'],
    [398, 'dd24e9'],
    [400, '9346a3'],
    [401, 'dd24e9'],
    [411, '9346a3'],
    [412, 'dd24e9'],
    [418, 'dd24e9'],
  ])(
    'a progressive JPEG cut after %i bytes has the pixels that Pillow reads',
    async (cut, digest) => {
      const { frames } = await decodeImage(Buffer.from(PROGRESSIVE, 'base64').subarray(0, cut));
      expect(createHash('md5').update(frames[0].rgb).digest('hex').slice(0, 6)).toBe(digest);
    },
  );

  it('stops after the first frame when asked', async () => {
    const animated = fixtures.filter(({ frames }) => frames > 1);
    expect(animated.length).toBeGreaterThan(10);
    for (const { file } of animated) {
      const bytes = Buffer.from(file, 'base64');
      const all = await decodeImage(bytes);
      const { frames } = await decodeImage(bytes, { firstOnly: true });
      expect(frames).toEqual([all.frames[0]]);
    }
  });

  it('refuses what is no picture, by name', async () => {
    const text = Buffer.from('a plain text, long enough to look like something else entirely');
    await expect(decodeImage(text, { name: 'note.png' })).rejects.toMatchObject({
      code: 'IMAGE_FILE',
      message: 'Invalid image file: note.png: its format is not known',
    });
    await expect(decodeImage(new Uint8Array())).rejects.toMatchObject({ code: 'IMAGE_FILE' });
  });

  it('refuses sizes it will not decode before it takes memory', async () => {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(60_000, 0);
    header.writeUInt32BE(60_000, 4);
    header.set([8, 6, 0, 0, 0], 8);
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const bomb = Buffer.concat([signature, ...chunk('IHDR', header)]);
    await expect(decodeImage(bomb)).rejects.toThrow('more than we decode');
  });

  it('answers damaged files with pixels or with IMAGE_FILE, never with anything else', async () => {
    let seed = 1;
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % below;
    };
    for (const { file } of fixtures) {
      const bytes = Buffer.from(file, 'base64');
      for (let i = 0; i < 3; i++) bytes[next(Math.min(bytes.length, 80))] = next(256);
      const cut = bytes.subarray(0, bytes.length - next(bytes.length));
      for (const damaged of [bytes, cut]) {
        const result = await decodeImage(damaged).catch((error: unknown) => error);
        if ('frames' in (result as object)) continue;
        expect(result).toMatchObject({ code: 'IMAGE_FILE' });
      }
    }
  }, 60_000);
});
