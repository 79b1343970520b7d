/** A session: a traced program, lowered, opened in ONNX Runtime, run on host arrays. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type NDArray, sizeOf } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { encodeModel } from '../onnx/encode.ts';
import { lower, outputName } from '../onnx/lower.ts';
import type { OnnxModel, WeightInitializer } from '../onnx/model.ts';
import { bindSizes } from '../tensor/sizes.ts';
import type { Dtype } from '../tensor/dtype.ts';
import { leafOps } from '../tensor/ops/leaves.ts';
import { type Tensor, isOp } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import { floatToF16 } from '../weights/float.ts';
import type { WinogradTile } from '../weights/winograd.ts';
import { nativeError } from './native-error.ts';
import {
  type OrtFeeds,
  type OrtOptions,
  type OrtTensor,
  createSession,
  feed,
  toFloats,
} from './ort.ts';
import { type DeviceArray, type Living, createLiving } from './living.ts';
import { checkFiles, placeWeights } from './placement.ts';
import {
  type PreparedFiles,
  type PreparedWeights,
  createPreparedWeights,
} from './prepared-weights.ts';
import { type Provider, providers } from './providers.ts';
import { readAhead } from './read-ahead.ts';

/** Token ids, indices and flags: whole numbers with a shape. */
export interface IdArray {
  readonly ids: BigInt64Array | readonly number[];
  readonly shape: readonly number[];
}

export type { DeviceArray } from './living.ts';

export type SessionInput = NDArray | IdArray | DeviceArray;

/** What a session may be told to answer with. */
export type SessionOutput = NDArray | DeviceArray;

/** A value for each input of a program. */
export type RunInputs = Readonly<Record<string, SessionInput>>;

export interface Session<Output extends SessionOutput = NDArray> {
  /**
   * Runs the program. Throws BAD_INPUT for missing or misshapen inputs, INTERRUPTED when `signal` was
   * aborted before the native run, also when that was during the one before it; OUT_OF_MEMORY, DEVICE_LOST
   * or SESSION when the native run fails. A native run that has begun cannot be stopped.
   */
  run(
    inputs: RunInputs,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Record<string, Output>>;
  /** Frees the native memory; the session cannot be used afterwards. */
  release(): Promise<void>;
}

export interface SessionOptions {
  readonly provider?: Provider;
  /** Threads of a run; left out: one per physical core. */
  readonly threads?: number;
  /** Where rewritten weights are kept; sessions that share it share their weights. */
  readonly prepared?: PreparedWeights;
  /** Convolutions to compute by Winograd's method, where the provider has it, with their tiles. */
  readonly winograd?: ReadonlyMap<Tensor, WinogradTile>;
}

/** A session that will be opened: its weights are being prepared. */
export interface Beginning<Output extends SessionOutput = NDArray> {
  /** Throws OUT_OF_MEMORY, DEVICE_LOST or SESSION, and what preparing throws. */
  readonly open: () => Promise<Session<Output>>;
  /** Lets go of it unopened. */
  readonly cancel: () => Promise<void>;
}

/**
 * Begins to open a program while others run: when this resolves, threads that need this one no more read what it
 * maps. Throws WEIGHTS_CHANGED.
 */
export const beginSession = (program: Program, options: SessionOptions = {}): Promise<Beginning> =>
  begin(program, { ...options, readsAhead: true }, toArray);

/** Lowers a program and opens it. Throws WEIGHTS_CHANGED, OUT_OF_MEMORY, DEVICE_LOST or SESSION. */
export async function openSession(
  program: Program,
  options: SessionOptions = {},
): Promise<Session> {
  return (await begin(program, options, toArray)).open();
}

const toArray = (result: OrtTensor): NDArray => ({ data: toFloats(result), shape: result.dims });

/** The same; where the provider can keep results, they stay on the device. */
export async function openFeeder(
  program: Program,
  options: SessionOptions = {},
): Promise<Session<SessionOutput>> {
  if (options.provider?.keepsResults !== true) return openSession(program, options);
  const staying = Object.keys(program.outputs).map(outputName);
  const living = createLiving();
  return (await begin(program, { ...options, staying }, living.keep, living.afterLast)).open();
}

interface BeginOptions extends SessionOptions, Pick<OrtOptions, 'staying'> {
  /** Whether files are read before they are mapped. */
  readonly readsAhead?: boolean;
}

async function begin<Output extends SessionOutput>(
  program: Program,
  options: BeginOptions,
  toOutput: (result: OrtTensor) => Output,
  releasing: Living['afterLast'] = (action) => action(),
): Promise<Beginning<Output>> {
  const { provider = providers.cpu, winograd, readsAhead = false } = options;
  const { prepared = createPreparedWeights() } = options;
  prepared.expect(
    program.nodes.filter((tensor) => isOp(leafOps.param, tensor)).map(({ attrs }) => attrs.entry),
  );
  const model = lower(program, { ...provider, ...(await provider.probe()), winograd });
  const weights = model.initializers.filter((initializer) => 'entry' in initializer);
  const verifyFiles = await checkFiles(weights);
  const preparing = prepared.acquire(weights);
  preparing.catch(() => undefined); // whoever opens hears of it
  if (readsAhead) {
    const reading = preparing.then((files) => readAhead(placeWeights(weights, files).ranges));
    reading.catch(() => undefined);
    await nextTurn(); // what is prepared already is being read by now
  }
  const weighted = { model, weights, verifyFiles };
  return {
    open: async () =>
      open(program, options, { ...weighted, files: await preparing }, toOutput, releasing),
    cancel: async () => (await preparing.catch(() => undefined))?.release(),
  };
}

/** A lowered program with its weights in place. */
interface Weighted {
  readonly model: OnnxModel;
  readonly weights: readonly WeightInitializer[];
  readonly verifyFiles: () => Promise<void>;
  readonly files: PreparedFiles;
}

async function open<Output extends SessionOutput>(
  program: Program,
  { provider = providers.cpu, threads, staying }: BeginOptions,
  { model, weights, verifyFiles, files }: Weighted,
  toOutput: (result: OrtTensor) => Output,
  releasing: Living['afterLast'],
): Promise<Session<Output>> {
  const { folder, place } = placeWeights(weights, files);
  const settings = { ...provider.session, weightsFolder: folder, threads, staying };
  const native = await createSession(encodeModel(model, place, provider), settings).catch(
    async (cause: unknown) => {
      await files.release();
      throw nativeError(program.name, cause);
    },
  );
  // a device has its own copies by now
  const keepsFiles = provider.memory === 'host';
  if (!keepsFiles) await files.release();
  return {
    run: async (inputs, { signal } = {}) => {
      if (signal?.aborted) throw new NoodleError('INTERRUPTED');
      bindSizes(program, inputs);
      await verifyFiles();
      const feeds = await toFeeds(program, inputs);
      // A native run holds this thread: what arrived meanwhile is heard in the turn after it.
      if (signal) await nextTurn();
      if (signal?.aborted) throw new NoodleError('INTERRUPTED');
      const results = await native.run(feeds).catch((cause: unknown) => {
        throw nativeError(program.name, cause);
      });
      const outputs: Record<string, Output> = {};
      for (const name of Object.keys(program.outputs)) {
        outputs[name] = toOutput(results[outputName(name)]);
      }
      return outputs;
    },
    release: () =>
      releasing(async () => {
        await native.release();
        if (keepsFiles) await files.release();
      }),
  };
}

async function toFeeds(program: Program, inputs: RunInputs): Promise<OrtFeeds> {
  const entries = program.inputs.map(async ({ attrs: { name, dtype } }) => {
    const { shape } = inputs[name];
    if ('tensor' in inputs[name]) return [name, inputs[name].tensor] as const;
    const values = 'ids' in inputs[name] ? inputs[name].ids : inputs[name].data;
    if (values.length !== sizeOf(shape)) {
      const expected = `${sizeOf(shape)} values for [${shape.join(', ')}]`;
      throw new NoodleError('BAD_INPUT', {
        subject: `input '${name}'`,
        expected,
        got: values.length,
      });
    }
    return [name, await toFeed(dtype, values, shape, name)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function toFeed(
  dtype: Dtype,
  values: Float32Array | BigInt64Array | readonly number[],
  shape: readonly number[],
  name: string,
): ReturnType<typeof feed> {
  const numbers = (): Float32Array | readonly number[] =>
    values instanceof BigInt64Array ? Array.from(values, Number) : values;
  switch (dtype) {
    case 'f32':
      return feed(
        'float32',
        values instanceof Float32Array ? values : Float32Array.from(numbers()),
        shape,
      );
    case 'f16':
      return feed('float16', floatToF16(numbers()), shape);
    case 'i64':
      return feed('int64', values instanceof BigInt64Array ? values : toBigInts(numbers()), shape);
    case 'i32':
      return feed('int32', Int32Array.from(numbers()), shape);
    case 'bool':
      return feed('bool', Uint8Array.from(numbers()), shape);
    default:
      throw new NoodleError('UNSUPPORTED', { what: `input '${name}' of type ${dtype}` });
  }
}

function toBigInts(values: ArrayLike<number>): BigInt64Array {
  const ids = new BigInt64Array(values.length);
  for (let i = 0; i < ids.length; i++) ids[i] = BigInt(values[i]);
  return ids;
}
