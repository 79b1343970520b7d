import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../engine/media/decode-image.ts';
import { likeReference } from '../../../engine/media/formats/avif-colours.ts';
import { coloursOf } from '../../../engine/media/formats/avif.ts';
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
  {
    name: '4:2:0 of 10 bits, limited BT.709',
    digest: '066231b72750',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAAB' +
      'AAABGgAAADkAAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABL' +
      'aXBjbwAAABRpc3BlAAAAAAAAABMAAAALAAAAEHBpeGkAAAAAAwoKCgAAAAxhdjFDgQBMAAAAABNjb2xy' +
      'bmNseAABAA0AAQAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAAEFtZGF0EgAKCRgQ5VzQENAQQDIqGUAA' +
      'AEAASSsChn4TRh0559HbIpACtoX1dfd8DGkbMKWuVJTXFwVpjjw0',
  },
  {
    name: '4:2:2 of 8 bits, limited BT.2020',
    digest: 'dd4fd141fa0f',
    file:
      'AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAPJtZXRhAAAAAAAAAChoZGxyAAAAAAAAAABwaWN0' +
      'AAAAAAAAAAAAAAAAbGliYXZpZgAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAEW' +
      'AAAAOwAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNv' +
      'AAAAFGlzcGUAAAAAAAAAEwAAAAsAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBQAgAAAAAE2NvbHJuY2x4' +
      'AAkAEAAJAAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAQ21kYXQSAAoIWBDlXJCRAJEyLRlAAABAAHQE' +
      'b17LiTjHh9CnCeeBH2drSeGgcm7Sp74NxSVMwQPjkb+Xm9xWKA==',
  },
  {
    name: '4:4:4 of 8 bits, full BT.601',
    digest: 'd6fafd938d0b',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAAB' +
      'AAABGgAAAEUAAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABL' +
      'aXBjbwAAABRpc3BlAAAAAAAAABMAAAALAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgSAAAAAAABNjb2xy' +
      'bmNseAABAA0ABoAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAAE1tZGF0EgAKCDgQ5VygIaDSMjcZQAwA' +
      'cAQExSINwu7E+lOx8hKHQHkiNrWalhhhF+j6Ymn6N7z5mijOS6X/90Kv5tBaQbGhES9o',
  },
  {
    name: '4:2:0 of 8 bits, limited BT.601',
    digest: '823df69479d4',
    file:
      'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAA' +
      'cGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAAB' +
      'AAABGgAAADYAAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABL' +
      'aXBjbwAAABRpc3BlAAAAAAAAABMAAAALAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgQAMAAAAABNjb2xy' +
      'bmNseAABAA0ABgAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAAD5tZGF0EgAKCRgQ5VyQENBgQDInGUAA' +
      'AEAAI4KQn06LLMfvrVwRBxTrfg+tjtzzbziZE2dCXfUvPA7g',
  },
  {
    name: '4:4:4 of 12 bits, full BT.2020',
    digest: '0fb4c98ac3e8',
    file:
      'AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAPJtZXRhAAAAAAAAAChoZGxyAAAAAAAAAABwaWN0' +
      'AAAAAAAAAAAAAAAAbGliYXZpZgAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAEW' +
      'AAAARQAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNv' +
      'AAAAFGlzcGUAAAAAAAAAEwAAAAsAAAAQcGl4aQAAAAADDAwMAAAADGF2MUOBQGAAAAAAE2NvbHJuY2x4' +
      'AAkAEAAJgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAATW1kYXQSAAoJWBDlXOhIgExAMjYZQAgAAAQE' +
      'w0oUO523npVYg8eagnSlPslOH1g9hHSo6h/wcUAz7jlNLKCPCcXKr4P19LInaoA=',
  },
];

describe('AVIF', () => {
  it.each(fixtures)('$name has the colours that Pillow reads', async ({ digest, file }) => {
    const { frames } = await decodeImage(Buffer.from(file, 'base64'));
    expect(createHash('md5').update(frames[0].rgb).digest('hex').slice(0, 12)).toBe(digest);
  });

  it('knows how samples are colours, and nothing of other files', async () => {
    const pixels = sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } });
    const known = { bits: 8, matrix: 'bt601', full: true };
    const halved = await pixels.clone().avif({ chromaSubsampling: '4:2:0' }).toBuffer();
    expect(coloursOf(halved)).toEqual({ ...known, subsampling: { x: 2, y: 2 } });
    const whole = await pixels.clone().avif({ chromaSubsampling: '4:4:4' }).toBuffer();
    expect(coloursOf(whole)).toEqual({ ...known, subsampling: { x: 1, y: 1 } });
    expect(coloursOf(await pixels.clone().png().toBuffer())).toBeUndefined();
    for (let end = 0; end < halved.length; end += 3) coloursOf(halved.subarray(0, end));
  });

  it('leaves pixels of other colours than those supposed', () => {
    const rgb = Uint8Array.from({ length: 30 * 20 * 3 }, (_, i) => (i * 7919) % 251);
    const before = rgb.slice();
    const subsampling = { x: 2, y: 2 } as const;
    const size = { width: 30, height: 20 };
    likeReference(rgb, rgb, size, { bits: 8, subsampling, matrix: 'bt709', full: false });
    expect(rgb).toEqual(before);
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
      likeReference(rgb, rgb, size, {
        bits: 8,
        subsampling: { x: 2, y: 2 },
        matrix: 'bt601',
        full: true,
      });
      expect(spent()).toBeLessThan(4000);
      for (let i = 0; i < rgb.length; i += 997) {
        expect(Math.abs(rgb[i] - colour[i % 3])).toBeLessThanOrEqual(2);
      }
    }
  });
});
