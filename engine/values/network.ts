/** Networks of files: how MODEL, CLIP and VAE alike get from weights to a function of inputs. */
import type { NDArray } from '../array/nd.ts';
import type { Needs } from '../runtime/precision.ts';
import type { Open, Runtime, SessionInput, SessionOutput } from '../runtime/runtime.ts';
import { type NetworkCall, type NetworkPatch, feedsOf } from '../patch/patch.ts';
import { storedSource } from '../runtime/stored-source.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Graph, trace } from '../tensor/trace.ts';
import type { WeightSource } from '../weights/source.ts';

/** The weights of a value on a wire: where they lie and what was changed on the way. */
export interface Weighted {
  /** The network's tensors under the names its architecture asks for. */
  readonly source: WeightSource;
  /** In the order they were put on. */
  readonly patches: readonly NetworkPatch[];
}

/** What a network runs with: bound once for each call of a node. */
export interface NetworkRun {
  readonly runtime: Runtime;
  readonly signal?: AbortSignal;
  /** Hears how far weights that take long to compute (merged models) are. */
  readonly progress?: (done: number, total: number) => void;
}

/** What a program depends on besides its weights. */
export interface Architecture extends Needs {
  /** Names the program in messages and keys: the family, or the kind and its task. */
  readonly name: string;
  /** Every choice that `build` makes and that shapes of the weights do not tell. */
  readonly settings?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly build: (g: Graph) => Record<string, Tensor>;
}

/** Runs a network; the answers are its outputs by name. Patches are told what is asked. */
export type Network = (
  inputs: Readonly<Record<string, SessionInput>>,
  call: NetworkCall,
) => Promise<Record<string, NDArray>>;

/**
 * The network as a function. Its session opens with the first call and stays in the runtime's cache
 * under a key of architecture, weights, patches and settings; equal networks share it. Throws what
 * `trace` and sessions throw.
 */
export function openNetwork(run: NetworkRun, weights: Weighted, what: Architecture): Network {
  return async (inputs, call) => {
    try {
      const asked = { run, weights, what, call };
      const { session, feeds, active } = await prepared(run.runtime.session, asked);
      const outputs = await session.run({ ...inputs, ...feeds }, { signal: run.signal });
      for (const patch of active) patch.receive?.(outputs, call);
      return outputs;
    } finally {
      for (const patch of weights.patches) patch.done?.();
    }
  };
}

/**
 * The same for a network whose answers only feed other networks of its device: where they can, they stay
 * there. Whoever has them releases them. Patches have no outputs in it.
 */
export function openFeeder(run: NetworkRun, weights: Weighted, what: Architecture) {
  return async (
    inputs: Readonly<Record<string, SessionInput>>,
    call: NetworkCall,
  ): Promise<Record<string, SessionOutput>> => {
    const { session, feeds } = await prepared(run.runtime.feeder, { run, weights, what, call });
    return session.run({ ...inputs, ...feeds }, { signal: run.signal });
  };
}

interface Asked {
  readonly run: NetworkRun;
  readonly weights: Weighted;
  readonly what: Architecture;
  readonly call: NetworkCall;
}

/** The open session, and what the patches that act feed it. */
async function prepared<Output extends SessionOutput>(
  open: Open<Output>,
  { run, weights: { source, patches }, what, call }: Asked,
) {
  const { name, settings = {}, build, role, fullPrecision } = what;
  const { signal, progress } = run;
  const stored = await storedSource(source, { signal, progress });
  const active = patches.filter((patch) => patch.active?.(call) ?? true);
  const changes = active.map(({ identity }) => identity);
  const choices = { ...settings, fullPrecision };
  const key = JSON.stringify([name, source.identity, changes, choices]);
  const program = () => trace(name, openWeights(stored, active), build);
  const session = await open(key, program, { role, fullPrecision });
  const feeds = await feedsOf(active, call);
  return { session, feeds, active };
}
