import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bf16ToFloat,
  f16ToFloat,
  f8ToFloat,
  floatToBf16,
  floatToF16,
  floatToF8,
} from '../../../engine/weights/float.ts';
import { readTensor } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { goldenDir, goldenFiles } from '../../support/golden.ts';

const codes16 = Uint16Array.from({ length: 65536 }, (_, i) => i);
const codes8 = Uint8Array.from({ length: 256 }, (_, i) => i);

describe('half floats', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0xfbff, -65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ])('code %i is %d (IEEE 754-2008, binary16)', (code, value) => {
    expect(f16ToFloat(Uint16Array.of(code))[0]).toBe(value);
  });

  it('every code survives widening and narrowing', () => {
    const back = floatToF16(f16ToFloat(codes16));
    const wrong = codes16.filter((code) => {
      const isNaN = (code & 0x7fff) > 0x7c00;
      return isNaN ? (back[code] & 0x7fff) <= 0x7c00 : back[code] !== code;
    });
    expect([...wrong]).toEqual([]);
  });

  it('rounds f32 numbers as it rounds doubles, whatever their bits', () => {
    const bits = Uint32Array.from({ length: 1 << 18 }, (_, i) => Math.imul(i, 0x9e3779b1));
    const values = new Float32Array(bits.buffer).filter((value) => !Number.isNaN(value));
    const wanted = floatToF16(Array.from(values));
    expect(floatToF16(values).findIndex((code, i) => code !== wanted[i])).toBe(-1);
  });

  it('reads pairs and single codes alike', () => {
    expect(f16ToFloat(codes16.subarray(1, 4000))).toEqual(f16ToFloat(codes16).subarray(1, 4000));
  });

  it.each([
    [1 + 2 ** -11, 0x3c00], // halfway: to even
    [1 + 3 * 2 ** -11, 0x3c02], // halfway: to even, upwards
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [2 ** -25, 0x0000],
    [2 ** -25 + 2 ** -40, 0x0001],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-70000, 0xfc00],
  ])('%d rounds to code %i', (value, code) => {
    expect(floatToF16([value])[0]).toBe(code);
    const single = Math.fround(value);
    expect(floatToF16(Float32Array.of(single))).toEqual(floatToF16([single]));
  });
});

describe('bfloat16', () => {
  it('is the upper half of an f32 and survives the round trip', () => {
    const values = bf16ToFloat(codes16);
    expect(values[0x3f80]).toBe(1);
    expect(values[0x0001]).toBe(2 ** -133);
    const back = floatToBf16(values);
    const wrong = codes16.filter((code) => (code & 0x7fff) <= 0x7f80 && back[code] !== code);
    expect([...wrong]).toEqual([]);
    expect(floatToBf16([NaN])[0] & 0x7fff).toBeGreaterThan(0x7f80);
  });

  it.each([
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [3.4e38, 0x7f80],
  ])('%d rounds to code %i', (value, code) => {
    expect(floatToBf16([value])[0]).toBe(code);
  });
});

describe('8-bit floats', () => {
  it.each([
    ['F8_E4M3', 0x01, 2 ** -9],
    ['F8_E4M3', 0x7e, 448],
    ['F8_E4M3', 0x7f, NaN],
    ['F8_E4M3', 0x38, 1],
    ['F8_E5M2', 0x01, 2 ** -16],
    ['F8_E5M2', 0x7b, 57344],
    ['F8_E5M2', 0x7c, Infinity],
    ['F8_E5M2', 0xfd, NaN],
  ] as const)('%s code %i is %d', (format, code, value) => {
    expect(f8ToFloat(Uint8Array.of(code), format)[0]).toBe(value);
  });

  it.each(['F8_E4M3', 'F8_E5M2'] as const)('%s codes survive the round trip', (format) => {
    const values = f8ToFloat(codes8, format);
    const back = floatToF8(values, format);
    expect([
      ...codes8.filter((code) => !Number.isNaN(values[code]) && back[code] !== code),
    ]).toEqual([]);
  });
});

/** Oracle: torch 2.13 casts (golden area `quant`). */
describe.runIf(goldenFiles(goldenDir('quant'), 'fp8_decode.safetensors').length > 0)(
  'golden',
  () => {
    const read = async (file: string, name: string) =>
      (await readTensor(await openSafetensors(join(goldenDir('quant'), file)), name)).data;

    it.each(['e4m3fn', 'e5m2'])('%s: all 256 codes', async (kind) => {
      const [expected, nan, inf] = await Promise.all(
        ['value', 'is_nan', 'is_inf'].map((part) =>
          read('fp8_decode.safetensors', `out.${kind}.${part}`),
        ),
      );
      const values = f8ToFloat(codes8, kind === 'e5m2' ? 'F8_E5M2' : 'F8_E4M3');
      values.forEach((value, code) => {
        if (nan[code]) expect(value).toBeNaN();
        else if (inf[code]) expect(Math.abs(value)).toBe(Infinity);
        else expect(value).toBe(expected[code]);
      });
    });

    it('narrowing gives the codes torch gives', async () => {
      const file = 'float_to_fp8_bf16_f16.safetensors';
      const x = await read(file, 'in.x');
      expect([...floatToF8(x, 'F8_E4M3')]).toEqual([...(await read(file, 'out.e4m3fn'))]);
      expect([...floatToF8(x, 'F8_E5M2')]).toEqual([...(await read(file, 'out.e5m2'))]);
      expect([...floatToBf16(x)]).toEqual([...(await read(file, 'out.bf16'))]);
      expect([...floatToF16(x)]).toEqual([...(await read(file, 'out.f16'))]);
    });
  },
);

it('rounds to 8 bits as torch does', () => {
  const values = [
    1e-4,
    0.0009765625,
    0.00146484375,
    0.002,
    0.0146484375,
    0.0156,
    0.017,
    1.0625,
    1.1875,
    -3.3,
    447,
    464,
    479,
    1000,
    60000,
    62000,
    Infinity,
    -500,
  ];
  // torch 2: x.to(float8_…).float()
  const theirs = {
    F8_E4M3: [
      0, 0, 0.001953125, 0.001953125, 0.015625, 0.015625, 0.017578125, 1, 1.25, -3.25, 448, 448,
      448, 448, 448, 448, 448, -448,
    ],
    F8_E5M2: [
      0.0001068115234375,
      0.0009765625,
      0.00146484375,
      0.001953125,
      0.015625,
      0.015625,
      0.015625,
      1,
      1.25,
      -3.5,
      448,
      448,
      448,
      1024,
      57344,
      Infinity,
      Infinity,
      -512,
    ],
  };
  for (const format of ['F8_E4M3', 'F8_E5M2'] as const) {
    expect([...f8ToFloat(floatToF8(values, format), format)]).toEqual(theirs[format]);
  }
});
