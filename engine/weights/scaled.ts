/**
 * Files whose weights have scales in tensors beside them: ComfyUI's `scaled_fp8`, and the formats that it
 * describes by layer (`comfy_quant` tensors, or `_quantization_metadata` in the header). Reads the
 * descriptions; the weights become entries with `scales`, and what described them is gone.
 */
import { NoodleError } from '../errors.ts';
import type { StorageDtype } from './dtypes.ts';
import { foreignFormat } from './foreign-files.ts';
import { readBytes } from './read.ts';
import { roundedEntry } from './recipe.ts';
import {
  type Scales,
  type WeightEntry,
  type WeightSource,
  isOne,
  reshapedEntry,
} from './source.ts';

const marker = 'scaled_fp8';
const described = '.comfy_quant';
const inHeader = '_quantization_metadata';

/** What a file says of a layer. */
interface Description {
  readonly format?: unknown;
  readonly convrot?: unknown;
  readonly convrot_groupsize?: unknown;
  readonly params?: Description;
}

/** A layer's tensors by the ends of their names; `need` throws WEIGHTS_MISSING. */
interface LayerTensors {
  readonly weight: WeightEntry;
  readonly need: (name: string) => WeightEntry;
  readonly description: Description;
}

/** A weight as this format keeps it. */
type Format = (layer: LayerTensors) => WeightEntry;

/** Formats by the names that files give them. */
const formats: Readonly<Record<string, Format>> = {
  float8_e4m3fn: ({ weight, need }) => scaledBy(typed(weight, 'F8_E4M3'), need('weight_scale')),
  float8_e5m2: ({ weight, need }) => scaledBy(typed(weight, 'F8_E5M2'), need('weight_scale')),
  int8_tensorwise: ({ weight, need, description }) =>
    scaledBy(typed(weight, 'I8'), need('weight_scale'), rotationOf(description)),
  mxfp8: ({ weight, need }) => ({
    ...typed(weight, 'F8_E4M3'),
    scales: { by: typed(need('weight_scale'), 'F8_E8M0'), over: 32, tiled: true },
  }),
  // two numbers a byte
  nvfp4: ({ weight, need }) => ({
    ...typed(weight, 'F4_E2M1'),
    shape: [weight.shape[0], weight.shape[1] * 2],
    scales: {
      by: typed(need('weight_scale'), 'F8_E4M3'),
      over: 16,
      tiled: true,
      all: need('weight_scale_2'),
    },
  }),
};

/** The names that tensors beside a weight have. */
const beside =
  /\.(?:comfy_quant|weight_scale|weight_scale_2|input_scale|scale_weight|scale_input)$/;

/**
 * The source as it is meant to be read; itself where nothing in it is scaled. Throws UNSUPPORTED for a
 * format that is not known, WEIGHTS_MISSING for scales that are not there.
 */
export async function scaledSource<S extends WeightSource>(source: S): Promise<S> {
  const foreign = foreignFormat(source.tensors.keys());
  if (foreign !== undefined) {
    const what = `${source.label}: weights stored ${foreign} are not supported; take the model in fp8, GGUF or half precision`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  const descriptions = await descriptionsOf(source);
  const marks = [...source.tensors.keys()].filter((key) => key.endsWith(marker));
  if (descriptions.size === 0 && marks.length === 0) return source;
  const tensors = new Map([...source.tensors].filter(([key]) => !isBeside(key, source, marks)));
  for (const [layer, description] of descriptions) {
    const weight = source.tensors.get(`${layer}.weight`);
    if (weight) tensors.set(`${layer}.weight`, formatted(source, layer, description, weight));
  }
  for (const mark of marks) scaleMarked(source, mark, tensors);
  return { ...source, tensors };
}

const isBeside = (key: string, { tensors }: WeightSource, marks: readonly string[]): boolean =>
  marks.includes(key) || (beside.test(key) && tensors.has(key.replace(beside, '.weight')));

/**
 * Layers under the prefix of `scaled_fp8` times their `scale_weight`; a layer without one stays as it is. The
 * mark's own type is that of the layers' parameters, so biases are rounded to it (ComfyUI 0.3.64's pictures).
 */
function scaleMarked(source: WeightSource, mark: string, tensors: Map<string, WeightEntry>): void {
  const prefix = mark.slice(0, -marker.length);
  const type = source.tensors.get(mark)!.dtype === 'F8_E5M2' ? 'F8_E5M2' : 'F8_E4M3';
  let scaled = 0;
  for (const [key, by] of source.tensors) {
    if (!key.startsWith(prefix) || !key.endsWith('.scale_weight')) continue;
    const [weightKey, biasKey] = ['.weight', '.bias'].map((end) => key.replace(beside, end));
    const weight = source.tensors.get(weightKey);
    if (!weight) continue;
    const bias = source.tensors.get(biasKey);
    tensors.set(weightKey, checked(source, scaledBy(weight, by)));
    if (bias) tensors.set(biasKey, roundedEntry(bias, type));
    scaled++;
  }
  if (scaled > 0) return;
  const key = `${prefix}*.scale_weight (the file says by '${mark}' that its weights have scales)`;
  throw new NoodleError('WEIGHTS_MISSING', { file: source.label, key });
}

/** What the file says of its layers, by their names. */
async function descriptionsOf(source: WeightSource): Promise<Map<string, Description>> {
  const found = new Map<string, Description>();
  const header = source.metadata?.[inHeader];
  if (header !== undefined) {
    const { layers } = parsed(source, inHeader, header) as { layers?: unknown };
    if (typeof layers === 'object' && layers !== null)
      for (const [layer, description] of Object.entries(layers))
        found.set(layer, description as Description);
  }
  for (const [key, entry] of source.tensors) {
    if (!key.endsWith(described)) continue;
    const text = Buffer.from(await readBytes(entry)).toString('utf8');
    found.set(key.slice(0, -described.length), parsed(source, key, text));
  }
  return found;
}

function parsed({ label }: WeightSource, key: string, text: string): Description {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null) return value;
  const what = `${label}: '${key}' is no description of weights`;
  throw new NoodleError('UNSUPPORTED', { what });
}

function formatted(
  source: WeightSource,
  layer: string,
  description: Description,
  weight: WeightEntry,
): WeightEntry {
  const { format } = description;
  const name = typeof format === 'string' ? format : JSON.stringify(format);
  if (!Object.hasOwn(formats, name)) {
    const what = `${source.label}: '${layer}' is in the format ${name}, which is not supported (known: ${Object.keys(formats).join(', ')})`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  const need = (part: string): WeightEntry => {
    const key = `${layer}.${part}`;
    const entry = source.tensors.get(key);
    if (!entry) throw new NoodleError('WEIGHTS_MISSING', { file: source.label, key });
    return entry;
  };
  return checked(source, formats[name]({ weight, need, description }));
}

/** The bytes as numbers of a type of the same size; some files call all of them bytes. */
const typed = (entry: WeightEntry, dtype: StorageDtype): WeightEntry => ({ ...entry, dtype });

/** Times one number, or one for each row. */
function scaledBy(
  weight: WeightEntry,
  by: WeightEntry,
  more: Pick<Scales, 'rotated'> = {},
): WeightEntry {
  const one = isOne(by);
  const count = by.shape.reduce((n, size) => n * size, 1);
  const shape = one ? [] : [count];
  return { ...weight, scales: { ...more, by: reshapedEntry(by, shape) } };
}

/** ConvRot: rotated in groups of so many numbers. */
function rotationOf({ params, ...own }: Description): Pick<Scales, 'rotated'> {
  const { convrot, convrot_groupsize: size = 256 } = { ...params, ...own };
  return convrot === true && typeof size === 'number' ? { rotated: size } : {};
}

/** Refuses scales that do not fit, before anything reads beyond them. */
function checked({ label }: WeightSource, weight: WeightEntry): WeightEntry {
  const { by, over, tiled, all, rotated } = weight.scales!;
  const [rows, ...inner] = weight.shape;
  const width = inner.reduce((n, size) => n * size, 1);
  const count = by.shape.reduce((n, size) => n * size, 1);
  const blocks = over === undefined ? 1 : width / over;
  const expected = tiled ? Math.ceil(rows / 128) * 128 * Math.ceil(blocks / 4) * 4 : rows * blocks;
  const isPowerOf4 = rotated === undefined || Number.isInteger(Math.log2(rotated) / 2);
  const fits =
    (count === expected || (over === undefined && count === 1)) &&
    Number.isInteger(blocks) &&
    (all === undefined || isOne(all)) &&
    (rotated === undefined || (isPowerOf4 && width % rotated === 0));
  if (fits) return weight;
  const what = `${label}: the scales [${by.shape.join(', ')}] of '${weight.name}' [${weight.shape.join(', ')}] do not fit it`;
  throw new NoodleError('UNSUPPORTED', { what });
}
