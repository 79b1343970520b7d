import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../engine/media/decode-image.ts';
import { blendChroma, subsamplingOf } from '../../../engine/media/formats/avif.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

/** Files and digests (MD5) of the colours that Pillow 12.3 (libavif 1.4.2) reads of them. */
const fixtures = [
  {
    name: '33 x 21, 4:2:0',
    digest: '4ba7143f84a0',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAA' +
      '8wAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAA' +
      'FGlzcGUAAAAAAAAAIQAAABUAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEA' +
      'DQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAA+21kYXQSAAoJGBUgo0QENBoQMuMBFMeHhmUCCCCe' +
      'UAAAAOuyXE4qtjsK3J2/rCccYlPvYHUbVS3qWBtTL89tFvyIQpHaz8PNxfIt4RxF8XipiKwYAMBmZ0/K' +
      'LQYDBmqmdf/8hS2zY87zz75TVmH2/kdMRpknYekOkfkji1X0pcmACYLLX16eVMoC5Q7OcxskKKtv+VCy' +
      'pawMRKtaYe2ijSRHkkH1pntb3NtykaW3nO2sVHKv68PXzFlzp6i56AunkESHxWDUgD+JLJeIcQftqUAg' +
      'D3bOabrmuleW2xh0An/RZwxF4wEMeD0BaGs5qWG1bjwtV4xC3UQ=',
  },
  {
    name: '17 x 1, 4:2:0',
    digest: '131dd9db5e8b',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAA' +
      'RQAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAA' +
      'FGlzcGUAAAAAAAAAEQAAAAEAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEA' +
      'DQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAATW1kYXQSAAoIGBAgaICGg0IyNxTHh4ZlAgggnlAA' +
      'AADwplzZIseRX6uGz2ECp85QqOf3U5HuFK82ViyJSA8NI2ITywRUoMUYjIA=',
  },
  {
    name: '31 x 20, 4:2:0 with alpha',
    digest: 'be2d65cf2e04',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAAGGbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAACxpbG9jAAAAAEQAAAIAAQAAAAEAAAHWAAAA' +
      'wwACAAAAAQAAAa4AAAAoAAAAQmlpbmYAAAAAAAIAAAAaaW5mZQIAAAAAAQAAYXYwMUNvbG9yAAAAABpp' +
      'bmZlAgAAAAACAABhdjAxQWxwaGEAAAAAGmlyZWYAAAAAAAAADmF1eGwAAgABAAEAAADDaXBycAAAAJ1p' +
      'cGNvAAAAFGlzcGUAAAAAAAAAHwAAABQAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJu' +
      'Y2x4AAEADQAGgAAAAA5waXhpAAAAAAEIAAAADGF2MUOBABwAAAAAOGF1eEMAAAAAdXJuOm1wZWc6bXBl' +
      'Z0I6Y2ljcDpzeXN0ZW1zOmF1eGlsaWFyeTphbHBoYQAAAAAeaXBtYQAAAAAAAAACAAEEAQKDBAACBAEF' +
      'hgcAAADzbWRhdBIACgUYET02FTIdFAAMMUC1HBPcB9tA4uybR/dIXf/5CP0LMD99YoASAAoJGBE9NogI' +
      'aDQgMrMBFMeHhmUCCCCeUAAAALzkWeq12nqDJPCzCfsDnvMB4Vd31HDEQ4HvT71dUfV3Ddlrpb6nAH+J' +
      '0nvx7rTxV1zfr/SdbBwfLNfa6wm3//3yFvvcGo9khEkve7gJo4w4j/0NYw+Xb+9QSmxbVK8PWGC0VukW' +
      'EBpSsU6afj+6bYIMFCAtVnM7ERpGv/0a0PqXOwbU5ZeSG5Px+aRn9ygEpoCsD0haXaDd6CvzAq+iTQ9W' +
      'WKEZnbQ=',
  },
  {
    name: '19 x 11, 4:2:0, turned, and by its EXIF too',
    digest: 'bf36f9331a33',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAAE9bWV0YQAAAAAAAAAoaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAsaWxvYwAAAABEAAACAAEAAAAB' +
      'AAABgwAAAF0AAgAAAAEAAAFlAAAAHgAAAEFpaW5mAAAAAAACAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xv' +
      'cgAAAAAZaW5mZQIAAAAAAgAARXhpZkV4aWYAAAAAGmlyZWYAAAAAAAAADmNkc2MAAgABAAEAAAB0aXBy' +
      'cAAAAFRpcGNvAAAAFGlzcGUAAAAAAAAAEwAAAAsAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAA' +
      'E2NvbHJuY2x4AAEADQAGgAAAAAlpcm90AwAAABhpcG1hAAAAAAAAAAEAAQUBAoMEhQAAAINtZGF0AAAA' +
      'AE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAAEgAKCRgQ5VyQENBoQDJOF4AAAEBAw2Niymfmw9F7oGPB' +
      'izcEB/uIMMMlsyiQ/k5v1cjqM4paRjo+lbp3Qocgac7wRKdtm2Au8fv3omdJMTpt2YLhSH+gBdbYy+AL',
  },
  {
    name: '19 x 11, 4:2:0, turned and mirrored',
    digest: 'f606263e832c',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAAEGbWV0YQAAAAAAAAAoaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAAB' +
      'AAABLgAAAF0AAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAfmlwcnAAAABd' +
      'aXBjbwAAABRpc3BlAAAAAAAAABMAAAALAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgQAMAAAAABNjb2xy' +
      'bmNseAABAA0ABoAAAAAJaXJvdAEAAAAJaW1pcgAAAAAZaXBtYQAAAAAAAAABAAEGAQKDBIWGAAAAZW1k' +
      'YXQSAAoJGBDlXJAQ0GhAMk4XgAAAQEDDY2LKZ+bD0XugY8GLNwQH+4gwwyWzKJD+Tm/VyOozilpGOj6V' +
      'undChyBpzvBEp22bYC7x+/eiZ0kxOm3ZguFIf6AF1tjL4As=',
  },
];

describe('AVIF', () => {
  it.each(fixtures)('$name has the colours that Pillow reads', async ({ digest, file }) => {
    const { frames } = await decodeImage(Buffer.from(file, 'base64'));
    expect(createHash('md5').update(frames[0].rgb).digest('hex').slice(0, 12)).toBe(digest);
  });

  it('blends chroma that is halved, and touches nothing else', async () => {
    const pixels = sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } });
    const halved = await pixels.clone().avif({ chromaSubsampling: '4:2:0' }).toBuffer();
    expect(subsamplingOf(halved)).toEqual({ x: 2, y: 2 });
    const whole = await pixels.clone().avif({ chromaSubsampling: '4:4:4' }).toBuffer();
    expect(subsamplingOf(whole)).toBeUndefined();
    expect(subsamplingOf(await pixels.clone().png().toBuffer())).toBeUndefined();
    for (let end = 0; end < halved.length; end += 3) subsamplingOf(halved.subarray(0, end));
  });

  it('stays near colours that are cut off, and quick on them', () => {
    for (const colour of [
      [0, 0, 0],
      [255, 255, 255],
      [255, 0, 0],
      [0, 0, 255],
      [0, 255, 0],
    ]) {
      const size = { width: 201, height: 200 };
      const rgb = new Uint8Array(size.width * size.height * 3).map((_, i) => colour[i % 3]);
      const spent = cpuTimer();
      blendChroma(rgb, size, { x: 2, y: 2 });
      expect(spent()).toBeLessThan(4000);
      for (let i = 0; i < rgb.length; i += 997) {
        expect(Math.abs(rgb[i] - colour[i % 3])).toBeLessThanOrEqual(2);
      }
    }
  });
});
