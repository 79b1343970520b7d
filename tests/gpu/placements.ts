/** Where ONNX Runtime put the nodes of models: its profile says so. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Provider } from '../../engine/runtime/providers.ts';

/** A node that ran. */
export interface Placed {
  readonly name: string;
  readonly op: string;
  /** ONNX Runtime's name of the provider. */
  readonly provider: string;
  /** Shapes of its results, by type: `[{"int64": [4]}]`. */
  readonly results: readonly Readonly<Record<string, readonly number[]>>[];
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: {
    readonly op_name?: string;
    readonly provider?: string;
    readonly output_type_shape?: Placed['results'];
  };
}

/** The provider with profiles of its sessions; `placed` reads those that were released, once. */
export function profiled(provider: Provider): { provider: Provider; placed: () => Placed[] } {
  const folder = mkdtempSync(join(tmpdir(), 'noodle-placements-'));
  const options = {
    ...provider.session.options,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
  };
  const placed = (): Placed[] => {
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    rmSync(folder, { recursive: true, force: true });
    const nodes = new Map<string, Placed>();
    for (const { cat, name, args = {} } of files.flatMap(
      (text) => JSON.parse(text) as ProfileEvent[],
    )) {
      const { op_name: op, provider: owner, output_type_shape: results = [] } = args;
      if (cat !== 'Node' || op === undefined || owner === undefined) continue;
      const node = name.replace(/_kernel_time$/, '');
      nodes.set(`${node} ${op}`, { name: node, op, provider: owner, results });
    }
    return [...nodes.values()];
  };
  return { provider: { ...provider, session: { ...provider.session, options } }, placed };
}

/**
 * A node on the CPU, or a copy between the two. Not counted is what follows from sizes (shapes, positions in
 * windows and the masks of windows, and places as reals, one for each row or token), which is cheap there and
 * only goes up.
 */
export function isMisplaced({ op, provider, results }: Placed): boolean {
  const fromSizes = results.every((result) =>
    Object.entries(result).every(
      ([type, shape]) => shape.length <= (/^(int64|bool)$/.test(type) ? 2 : 1),
    ),
  );
  if (op === 'MemcpyToHost') return !results.every(isWait);
  return (provider !== 'WebGpuExecutionProvider' || op === 'MemcpyFromHost') && !fromSizes;
}

/** One whole number: the host waits for what is computed so far (`settle`). */
const isWait = (result: Placed['results'][number]): boolean =>
  Object.entries(result).every(([type, shape]) => type === 'int64' && shape.join() === '1');
