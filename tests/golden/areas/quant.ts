/** Golden area `quant`: weights in fewer bits, as files keep them, and small networks of such files. */
import { join } from 'node:path';
import { decode, isStorageDtype } from '../../../engine/weights/dtypes.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { readTensor } from '../../../engine/weights/read.ts';
import { encodeFloats } from '../../../engine/weights/write.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, type GoldenArea, compare } from '../area.ts';
import { modelFile } from '../model-file.ts';
import { transformerArea } from '../dit/run.ts';
import { type GoldenCase, openCase } from '../open-case.ts';

interface Params {
  readonly case: string;
  /** ggml's name of a type of blocks. */
  readonly type?: string;
  readonly file?: string;
  readonly model?: string;
}

type Golden = GoldenCase<Params>;
type Run = (golden: Golden, dir: string) => Promise<CaseResult>;

const outputs = ({ names }: Golden): string[] => names.filter((name) => name.startsWith('out.'));

/** Blocks, one a row. */
const blocks: Run = async (golden) => {
  const { type } = golden.params;
  if (!type || !isStorageDtype(type)) return { skip: `blocks of type ${type}` };
  const { shape } = golden.array('out.values');
  const raw = Uint8Array.from(golden.numbers('in.raw').data);
  return { comparisons: [against(golden, 'out.values', { data: decode(raw, type), shape })] };
};

/** The names that cases have for the types of 8 bits. */
const eightBits = { e4m3fn: 'F8_E4M3', e5m2: 'F8_E5M2' } as const;
/** The same for types that are told by their codes. */
const narrow = { ...eightBits, bf16: 'BF16', f16: 'F16' } as const;

const casts: Run = async (golden) => {
  const { data, shape } = golden.array('in.x');
  const comparisons = Object.entries(narrow).map(([name, type]) => {
    const bytes = encodeFloats(data, type);
    const codes = name in eightBits ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset);
    return against(golden, `out.${name}`, { data: codes, shape });
  });
  return { comparisons };
};

/** Every code of 8 bits; what is no finite number is told by flags. */
const codes: Run = async (golden) => {
  const { data, shape } = golden.numbers('in.byte');
  const comparisons = Object.entries(eightBits).flatMap(([name, type]) => {
    const values = decode(Uint8Array.from(data), type);
    const flags = (is: (value: number) => boolean) => ({
      data: Array.from(values, (value) => (is(value) ? 1 : 0)),
      shape,
    });
    const isInf = (value: number): boolean => Math.abs(value) === Infinity;
    const finite = values.map((value) => (Number.isFinite(value) ? value : 0));
    return [
      against(golden, `out.${name}.value`, { data: finite, shape }),
      against(golden, `out.${name}.is_nan`, flags(Number.isNaN)),
      against(golden, `out.${name}.is_inf`, flags(isInf)),
    ];
  });
  return { comparisons };
};

/** Tensors of a whole file, as they are meant. */
const fileOf: Run = async (golden, dir) => {
  const { file, model } = golden.params;
  const source = await openSource(modelFile(dir, 'quant', file ?? `${model}.safetensors`));
  const comparisons: Comparison[] = [];
  for (const name of outputs(golden)) {
    comparisons.push(against(golden, name, await readTensor(source, name.slice('out.'.length))));
  }
  return { comparisons };
};

function against(
  golden: Golden,
  name: string,
  got: { readonly data: ArrayLike<number>; readonly shape: readonly number[] },
): Comparison {
  return compare(name, got, golden.numbers(name), golden.tolerance);
}

/** How cases are run, by name. */
const runs: Readonly<Record<string, Run>> = {
  float_to_fp8_bf16_f16: casts,
  fp8_decode: codes,
  tiny_mixed: fileOf,
  fp8_scaled_weights: fileOf,
};

/** Cases of what is not done here, by name. */
const notDone: Readonly<Record<string, string>> = {
  fp8_stochastic_rounding: 'LoRAs run beside weights of 8 bits: nothing is merged into them',
  gguf_quantize: 'GGUF files are read, not written',
};

/** Cases that run a network of such a file. */
const transformers = transformerArea('quant');

export const area: GoldenArea = {
  name: 'quant',
  list: async (dir) =>
    goldenFiles(dir, '.safetensors')
      .map((file) => file.slice(0, -'.safetensors'.length))
      .filter((name) => !name.startsWith('model_')),
  async run(dir, file) {
    const golden = await openCase<Params>(join(dir, `${file}.safetensors`));
    if (golden.has('in.context')) return transformers.run(dir, file);
    const run = golden.params.type ? blocks : runs[golden.params.case];
    const name = golden.params.case;
    return run ? run(golden, dir) : { skip: notDone[name] ?? `no way to run '${name}'` };
  },
};
