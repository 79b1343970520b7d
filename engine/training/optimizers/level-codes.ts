/** Blocks of numbers as 8-bit codes of levels, which are shares of the largest magnitude of a block. */

export interface LevelCodes {
  /** Writes the codes of a block's numbers; the magnitude that their levels are shares of. */
  pack(numbers: Float32Array, codes: Uint8Array): number;
  /** Writes the numbers of a block's codes. */
  unpack(codes: Uint8Array, largest: number, numbers: Float32Array): void;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** For 256 rising levels, of which no more than two are in reach of floats with the same upper 16 bits. */
export function levelCodes(levels: Float32Array): LevelCodes {
  const borders = levels.map((level, i) => (i < 255 ? (level + levels[i + 1]) / 2 : Infinity));
  /** By those 16 bits: the code of the least float that has them. */
  const least = new Uint8Array(2 ** 16);
  for (let upper = 0; upper < least.length; upper++) {
    bits[0] = (upper << 16) | (upper < 2 ** 15 ? 0 : 0xffff);
    least[upper] = codeOf(float[0], borders);
  }
  return {
    pack(numbers, codes) {
      let largest = 0;
      for (let i = 0; i < numbers.length; i++) {
        const magnitude = Math.abs(numbers[i]);
        if (magnitude > largest) largest = magnitude;
      }
      if (largest === 0) {
        codes.fill(0);
        return 0;
      }
      for (let i = 0; i < numbers.length; i++) {
        float[0] = numbers[i] / largest;
        const code = least[bits[0] >>> 16];
        codes[i] = float[0] > borders[code] ? code + 1 : code;
      }
      return largest;
    },
    unpack(codes, largest, numbers) {
      for (let i = 0; i < numbers.length; i++) numbers[i] = levels[codes[i]] * largest;
    },
  };
}

/** How many borders are below a number. */
function codeOf(value: number, borders: Float32Array): number {
  let code = 0;
  for (let half = 128; half > 0; half >>= 1) {
    if (value > borders[code + half - 1]) code += half;
  }
  return code;
}
