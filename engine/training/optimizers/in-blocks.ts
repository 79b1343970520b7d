/**
 * Moments in 8 bits (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization", as bitsandbytes has
 * them): the largest magnitude of each block of 256 numbers, and for each number the code of the nearest level of
 * the dynamic type, whose levels are shares of it. A block is unpacked, changed in fp32 and packed again.
 */
import { dynamicLevels, unsignedDynamicLevels } from '../../weights/code-tables.ts';
import { type Parameter, layOut } from '../parameters.ts';
import { type Keep, inFloats } from './elementwise.ts';
import { levelCodes } from './level-codes.ts';

const blockSize = 256;
/** Tensors of fewer numbers stay in fp32. */
const leastSize = 4096;

export const inBlocks: Keep = (layout, moments) => {
  const isSmall = ({ size }: Parameter): boolean => size < leastSize;
  const large = layout.list.filter((parameter) => !isSmall(parameter));
  const small = placed(layout.list.filter(isSmall), ({ size }) => size);
  const numbers = placed(large, ({ size }) => size);
  const blocks = placed(large, ({ size }) => Math.ceil(size / blockSize));
  const floats = inFloats(small.layout, moments);
  const packed = moments.map(({ name, signed, start = 0 }) => ({
    name,
    type: levelCodes(signed ? dynamicLevels : unsignedDynamicLevels),
    codes: new Uint8Array(numbers.layout.size).fill(255), // the level 1
    largest: new Float32Array(blocks.layout.size).fill(start),
    unpacked: new Float32Array(blockSize),
  }));
  const vectors: Record<string, Float32Array | Uint8Array> = { ...floats.vectors };
  for (const { name, codes, largest } of packed) {
    vectors[`${name}.codes`] = codes;
    vectors[`${name}.absmax`] = largest;
  }
  return {
    vectors,
    pieces(parameter, run) {
      const { offset, size } = parameter;
      const kept = small.of.get(parameter);
      if (kept) {
        floats.pieces(kept, (_from, _to, arrays) => {
          run(offset, offset + size, arrays);
        });
        return;
      }
      const firstCode = numbers.of.get(parameter)!.offset;
      let block = blocks.of.get(parameter)!.offset;
      for (let from = 0; from < size; from += blockSize, block++) {
        const to = Math.min(size, from + blockSize);
        const parts = packed.map(({ codes }) => codes.subarray(firstCode + from, firstCode + to));
        const arrays = packed.map(({ type, largest, unpacked }, i) => {
          const array = unpacked.subarray(0, to - from);
          type.unpack(parts[i], largest[block], array);
          return array;
        });
        run(offset + from, offset + to, arrays);
        for (const [i, { type, largest }] of packed.entries()) {
          largest[block] = type.pack(arrays[i], parts[i]);
        }
      }
    },
  };
};

/** A vector with so many numbers for each tensor. */
function placed(
  list: readonly Parameter[],
  size: (of: Parameter) => number,
): { layout: ReturnType<typeof layOut>; of: ReadonlyMap<Parameter, Parameter> } {
  const layout = layOut(list.map((parameter) => [parameter.name, [size(parameter)]]));
  return { layout, of: new Map(list.map((parameter, i) => [parameter, layout.list[i]])) };
}
