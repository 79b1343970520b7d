/**
 * The border to ONNX Runtime: the only file that imports onnxruntime-node, and only when the first
 * session opens, so that a process without models starts without 40 MB of native code.
 */
import type * as OrtModule from 'onnxruntime-node';
import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-node';
import { f16ToFloat } from '../weights/float.ts';

type Ort = typeof OrtModule;

export type OrtSession = InferenceSession;
export type OrtTensor = Tensor;
export type OrtFeeds = Readonly<Record<string, Tensor>>;

export interface OrtOptions {
  /** Names of ONNX Runtime's execution providers, the first choice first; left out: the CPU's. */
  readonly providers?: readonly string[];
  /** Folder that the model's external weights are relative to. */
  readonly weightsFolder?: string;
  readonly threads?: number;
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  /** Outputs that stay on the device; where the provider can keep them. */
  readonly staying?: readonly string[];
  /** ONNX Runtime's session configuration, by its whole keys (`session.disable_prepacking`). */
  readonly config?: Readonly<Record<string, string>>;
  /** Further fields of the session options. */
  readonly options?: Readonly<Record<string, unknown>>;
}

let loaded: Promise<Ort> | undefined;

/** The native library, loaded once. */
export function loadOrt(): Promise<Ort> {
  return (loaded ??= import('onnxruntime-node'));
}

/** Opens a session on model bytes. Native errors come through as they are. */
export async function createSession(model: Uint8Array, options: OrtOptions): Promise<OrtSession> {
  const ort = await loadOrt();
  return ort.InferenceSession.create(model, {
    executionProviders: [...(options.providers ?? ['cpu'])],
    logSeverityLevel: 4, // failures are thrown, and reported by whoever catches them
    graphOptimizationLevel: options.optimization ?? 'all',
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    ...(options.staying === undefined
      ? {}
      : { preferredOutputLocation: onDevice(options.staying) }),
    ...options.options,
    extra: configOf(options),
  });
}

const onDevice = (names: readonly string[]): Record<string, 'gpu-buffer'> =>
  Object.fromEntries(names.map((name) => [name, 'gpu-buffer']));

/** A tensor for a feed. */
export async function feed(
  type: 'float32' | 'float16' | 'int64' | 'int32' | 'bool',
  data: Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array,
  shape: readonly number[],
): Promise<Tensor> {
  const ort = await loadOrt();
  return new ort.Tensor(type, data as never, [...shape]);
}

/** A result's numbers as fp32. Halves come as 16-bit codes, on newer Nodes as numbers. */
export function toFloats(tensor: Tensor): Float32Array {
  const { data, type } = tensor as TypedTensor<'float32'> | TypedTensor<'int64'>;
  if (data instanceof Float32Array) return data;
  if ((data as unknown) instanceof Uint16Array && tensor.type === 'float16') {
    return f16ToFloat(data as unknown as Uint16Array);
  }
  if (type === 'int64') return Float32Array.from(data, Number);
  return Float32Array.from(data as unknown as ArrayLike<number>);
}

function configOf({ weightsFolder, config = {} }: OrtOptions): Record<string, string> {
  const folder = 'session.model_external_initializers_file_folder_path';
  return { ...config, ...(weightsFolder === undefined ? {} : { [folder]: weightsFolder }) };
}
