/**
 * Models as files: the tensors under the names that single-file checkpoints have, patches in them (LoRA
 * baked in), each in the type it was stored as. Tensors are made and written one after the other.
 */
import { sizeOf } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { SaveTarget } from '../store/save-target.ts';
import { type StorageDtype, sizeInBytes, storageDtypes } from '../weights/dtypes.ts';
import { type OpenClipTensor, toOpenClip } from '../weights/key-maps/open-clip.ts';
import { readBytes } from '../weights/read.ts';
import { type TensorToWrite, encodeFloats, floatTensor, writeTensors } from '../weights/write.ts';
import type { Clip } from './clip.ts';
import type { Model } from './model.ts';
import type { Weighted } from './network.ts';
import type { Services } from './services.ts';
import { isFloat, isQuantised, patchesOf, savedDtype, wholeWeight } from './whole-weight.ts';

/** Tensors to write, by name. */
export type Tensors = Map<string, TensorToWrite>;

const modelStart = 'model.diffusion_model.';

/** The tensors of a network with its patches in them, under these keys after `prefix`. */
export function networkTensors(network: Weighted, prefix = ''): Tensors {
  const tensors: Tensors = new Map();
  for (const key of network.source.tensors.keys())
    tensors.set(prefix + key, tensorOf(network, key));
  return tensors;
}

/** A whole checkpoint; without the other parts its diffusion model and what says how it is run. */
export function checkpointTensors(
  model: Model,
  {
    clip,
    vision,
    vae,
  }: {
    readonly clip?: Clip | null;
    readonly vision?: Weighted | null;
    readonly vae?: Weighted | null;
  } = {},
): Tensors {
  const { family } = model;
  const parts = [diffusionTensors(model), samplingMarks(model)];
  clip?.encoders.forEach((encoder, i) => {
    const prefix = (family.textPrefixes[i] ?? [
      `text_encoders.${encoder.spec.name}.transformer.`,
    ])[0];
    // what stands under `model.` has OpenCLIP's names, under `transformer.` huggingface's
    parts.push(
      prefix.endsWith('.model.')
        ? openClip(encoder, prefix)
        : huggingface(encoder, prefix, family.savesPositions ?? false),
    );
  });
  if (vision) parts.push(networkTensors(vision, family.visionPrefix));
  if (vae) parts.push(networkTensors(vae, family.vaePrefixes[0]));
  return new Map(parts.flatMap((part) => [...part]));
}

/** The network under the keys that checkpoints have, and what lies beside it under its own. */
function diffusionTensors(model: Model): Tensors {
  const { besideModel = [] } = model.family;
  const isBeside = (key: string): boolean => besideModel.some((start) => key.startsWith(start));
  const named = [...networkTensors(model)].map(
    ([key, tensor]) => [isBeside(key) ? key : modelStart + key, tensor] as const,
  );
  return new Map(named);
}

/** What loaders tell the parameterisation by, where the network does not show it. */
function samplingMarks({ sampling: { prediction, schedule } }: Model): Tensors {
  const marks: Tensors = new Map();
  const empty = floatTensor(new Float32Array(), [0]);
  const scalar = (value: number) => floatTensor(Float32Array.of(value), []);
  if (prediction === 'v') {
    marks.set('v_pred', empty);
    if (schedule.zsnr) marks.set('ztsnr', empty);
  }
  if (prediction === 'v-edm') {
    marks.set('edm_vpred.sigma_max', scalar(Number(schedule.sigmaMax)));
    marks.set('edm_vpred.sigma_min', scalar(Number(schedule.sigmaMin)));
  }
  return marks;
}

const predictKeys: Readonly<Record<string, string>> = { eps: 'epsilon', v: 'v' };

/** Stability's model specification, as far as ComfyUI writes it. */
export function modelspec(
  { family, config, sampling }: Model,
  { filename, counter }: Pick<SaveTarget, 'filename' | 'counter'>,
): Record<string, string> {
  const architecture = family.modelspec?.(config);
  const spec: Record<string, string> = {};
  if (architecture !== undefined) {
    spec['modelspec.architecture'] = architecture;
    spec['modelspec.sai_model_spec'] = '1.0.0';
    spec['modelspec.implementation'] = 'sgm';
    spec['modelspec.title'] = `${filename} ${counter}`;
  }
  const predicts = predictKeys[sampling.prediction];
  if (predicts !== undefined) spec['modelspec.predict_key'] = predicts;
  return spec;
}

/** What writing takes from a node's context. */
export interface SaveRun {
  readonly services: Pick<Services, 'folders'>;
  readonly signal: AbortSignal;
  readonly progress: (value: number, max: number) => void;
}

/**
 * Writes a file of the output folder, whole or not at all; progress counts bytes. Throws INTERRUPTED, and
 * what computing and writing throw.
 */
export async function saveTensors(
  tensors: Tensors,
  target: SaveTarget,
  metadata: Readonly<Record<string, string>>,
  { services, signal, progress }: SaveRun,
): Promise<void> {
  const sizes = [...tensors.values()].map(({ dtype, shape }) => sizeInBytes(dtype, shape));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  const told = (tensor: TensorToWrite): TensorToWrite => ({
    ...tensor,
    bytes: async () => {
      if (signal.aborted) throw new NoodleError('INTERRUPTED');
      const bytes = typeof tensor.bytes === 'function' ? await tensor.bytes() : tensor.bytes;
      done += bytes.byteLength;
      progress(done, total);
      return bytes;
    },
  });
  const followed = new Map([...tensors].map(([key, tensor]) => [key, told(tensor)]));
  await services.folders.streamNumbered(target, '.safetensors', (path) =>
    writeTensors(path, followed, metadata),
  );
}

const positions = 'text_model.embeddings.position_ids';

/** The tensors of a text encoder in a file of its own, without the numbers of its positions. */
export function encoderTensors(encoder: Weighted): Tensors {
  const tensors = networkTensors(encoder);
  tensors.delete(positions);
  return tensors;
}

/** A text encoder under huggingface's names, without what checkpoints leave out that do not name it. */
function huggingface(
  encoder: Clip['encoders'][number],
  prefix: string,
  hasPositions: boolean,
): Tensors {
  const tensors = encoderTensors(encoder);
  if (!prefix.includes(`.${encoder.spec.name}.`)) tensors.delete('text_projection.weight');
  tensors.delete('logit_scale');
  const embedding = tensors.get('text_model.embeddings.position_embedding.weight');
  if (hasPositions && embedding) tensors.set(positions, countTo(embedding.shape[0]));
  return new Map([...tensors].map(([key, tensor]) => [prefix + key, tensor]));
}

/** [1, count] of 0 to count - 1. */
function countTo(count: number): TensorToWrite {
  const numbers = BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
  return { dtype: 'I64', shape: [1, count], bytes: new Uint8Array(numbers.buffer) };
}

/** A text encoder under OpenCLIP's names: q, k and v in one, the projection turned. */
function openClip(encoder: Weighted, prefix: string): Tensors {
  const named = toOpenClip(encoder.source.tensors.keys());
  return new Map(
    [...named].map(([name, { keys, transposed }]: [string, OpenClipTensor]) => {
      const parts = keys.map((key) => tensorOf(encoder, key, transposed));
      return [prefix + name, parts.length === 1 ? parts[0] : stacked(parts)];
    }),
  );
}

/** Tensors of one shape as rows of one. */
function stacked(parts: readonly TensorToWrite[]): TensorToWrite {
  const [{ dtype, shape }] = parts;
  const bytes = async (): Promise<Uint8Array> => {
    const all = [];
    for (const { bytes } of parts) all.push(typeof bytes === 'function' ? await bytes() : bytes);
    return Buffer.concat(all);
  };
  return { dtype, shape: [shape[0] * parts.length, ...shape.slice(1)], bytes };
}

/** One parameter as it is saved; `transposed`: a matrix with its axes swapped. */
function tensorOf(network: Weighted, key: string, transposed = false): TensorToWrite {
  const entry = network.source.tensors.get(key)!;
  // ComfyUI keeps this one as fp32 whatever the others are
  const dtype = key === 'logit_scale' ? 'F32' : savedDtype(entry);
  const { shape } = entry;
  // stored bytes as they are, where nothing changes them and they lie as they are read
  const turned = (entry.transposed ?? false) !== transposed;
  const isWhole = entry.bytes.kind !== 'computed' && !entry.scales && dtype === entry.dtype;
  const isStored = isWhole && (entry.bytes.kind !== 'parts' || !isQuantised(entry));
  const isPlain = isStored && patchesOf(network, key).length === 0;
  if (isPlain && (!turned || !isFloat(entry))) {
    return { dtype, shape: transposed ? shape.toReversed() : shape, bytes: () => readBytes(entry) };
  }
  const bytes = async (): Promise<Uint8Array> => {
    const values = await wholeWeight(network, key);
    return encodeFloats(transposed ? swapped(values, shape) : values, encodable(dtype, key));
  };
  return { dtype, shape: transposed ? shape.toReversed() : shape, bytes };
}

function encodable(dtype: StorageDtype, key: string) {
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return dtype;
  if (dtype === 'F8_E4M3' || dtype === 'F8_E5M2') return dtype;
  const bits = 8 * storageDtypes[dtype].bytes;
  throw new NoodleError('UNSUPPORTED', { what: `saving '${key}' as ${dtype} (${bits} bits)` });
}

function swapped(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  const out = new Float32Array(sizeOf([rows, columns]));
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c];
  }
  return out;
}
