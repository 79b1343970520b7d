/** Programs larger than the memory budget: cut into parts that are opened, run and released in turn. */
import { NoodleError } from '../errors.ts';
import { bindSizes } from '../tensor/sizes.ts';
import { partition } from '../tensor/partition.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import type { Beginning, Session, SessionInput } from './session.ts';

/**
 * The parts of a program whose weights take at most about `size` bytes each, cut at the outputs of its
 * sites; `bytesOf` is what a tensor's weight takes. A stretch between two sites is never cut.
 */
export function partsOf(
  program: Program,
  size: number,
  bytesOf: (tensor: Tensor) => number,
): Program[] {
  const order = new Map(program.nodes.map((tensor, i) => [tensor, i]));
  const sites = [...new Set(program.sites.values())]
    .filter((tensor) => order.has(tensor))
    .sort((a, b) => order.get(a)! - order.get(b)!);
  const seen = new Set<Tensor>();
  const cuts: Tensor[] = [];
  let bytes = 0;
  let last: Tensor | undefined;
  for (const site of [...sites, ...Object.values(program.outputs)]) {
    const more = weightOf(site, seen, bytesOf);
    if (last && bytes > 0 && bytes + more > size) {
      cuts.push(last);
      bytes = 0;
    }
    bytes += more;
    last = site;
  }
  return partition(program, cuts);
}

/** Bytes of the weights that a tensor depends on and that were not seen before. */
function weightOf(root: Tensor, seen: Set<Tensor>, bytesOf: (tensor: Tensor) => number): number {
  let bytes = 0;
  const open = [root];
  for (let top = open.pop(); top; top = open.pop()) {
    if (seen.has(top)) continue;
    seen.add(top);
    bytes += bytesOf(top);
    open.push(...top.inputs);
  }
  return bytes;
}

/** A part, and how it is opened. */
export interface Part {
  readonly program: Program;
  /** Memory that the part is expected to take while it is open. */
  readonly bytes: number;
  /** Begins to open it; another part may run meanwhile. */
  readonly begin: () => Promise<Beginning>;
  /** Lets go of what was kept for its next opening. */
  readonly forget?: () => Promise<void>;
}

/** What the parts take together when they run in turn. */
export interface PartsPlan {
  /** The leading parts that stay open from one run to the next. */
  readonly resident: number;
  /** Whether each of the others is begun while the one before it runs. */
  readonly ahead: boolean;
  readonly bytes: number;
  /** Bytes that each run reads anew. */
  readonly streamed: number;
}

type Sizes = readonly Pick<Part, 'bytes'>[];

/**
 * As many leading parts stay open as leave room for the largest two neighbours among the others, one that runs
 * and one that is opened meanwhile; where not even those have room, for the largest one.
 */
export function planParts(parts: Sizes, budget: number): PartsPlan {
  return planned(parts, budget, true) ?? planned(parts, budget, false)!;
}

/** Undefined where parts ahead have no room. */
function planned(parts: Sizes, budget: number, ahead: boolean): PartsPlan | undefined {
  const window = (i: number): number =>
    parts[i].bytes + (ahead && i + 1 < parts.length ? parts[i + 1].bytes : 0);
  const largest = (from: number): number =>
    parts.slice(from).reduce((most, _, i) => Math.max(most, window(from + i)), 0);
  if (ahead && largest(0) > budget) return undefined;
  let kept = 0;
  let resident = 0;
  for (const { bytes } of parts) {
    if (kept + bytes + largest(resident + 1) > budget) break;
    kept += bytes;
    resident++;
  }
  const streamed = parts.slice(resident).reduce((sum, { bytes }) => sum + bytes, 0);
  return { resident, ahead, bytes: kept + largest(resident), streamed };
}

/**
 * A session of a program in parts. Each run hands the tensors between parts on, and frees them after
 * their last reader; parts that are not resident are open only while they run, and begun ahead where the plan
 * has room for it. Runs wait for each other.
 */
export function sessionOfParts(
  program: Pick<Program, 'inputs' | 'sizes' | 'outputs'>,
  parts: readonly Part[],
  { resident, ahead }: Pick<PartsPlan, 'resident' | 'ahead'>,
): Session {
  const kept = new Map<Part, Session>();
  let begun: { readonly part: Part; readonly beginning: Beginning } | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const begin = async (part: Part | undefined): Promise<void> => {
    if (part && ahead && !kept.has(part)) begun = { part, beginning: await part.begin() };
  };
  const cancel = async (): Promise<void> => {
    const unused = begun;
    begun = undefined;
    await unused?.beginning.cancel();
  };
  const open = async (part: Part): Promise<Session> => {
    const { beginning } = begun?.part === part ? begun : { beginning: await part.begin() };
    begun = undefined;
    return beginning.open();
  };
  const withPart = async <T>(part: Part, action: (session: Session) => Promise<T>): Promise<T> => {
    const session = kept.get(part) ?? (await open(part));
    if (parts.indexOf(part) < resident) kept.set(part, session);
    try {
      return await action(session);
    } finally {
      if (!kept.has(part)) await session.release();
    }
  };
  const runParts: Session['run'] = async (inputs, options) => {
    bindSizes(program, inputs);
    const values = new Map<string, SessionInput>(Object.entries(inputs));
    const results: Awaited<ReturnType<Session['run']>> = {};
    for (const [i, part] of parts.entries()) {
      const own = part.program.inputs.map(({ attrs: { name } }) => [name, values.get(name)!]);
      const made = await withPart(part, async (session) => {
        await begin(parts[i + 1]);
        return session.run(Object.fromEntries(own) as Record<string, SessionInput>, options);
      });
      for (const [name, value] of Object.entries(made)) {
        if (Object.hasOwn(program.outputs, name)) results[name] = value;
        else values.set(name, value);
      }
      const needed = new Set(
        parts.slice(i + 1).flatMap(({ program }) => program.inputs.map(({ attrs }) => attrs.name)),
      );
      for (const name of values.keys()) if (!needed.has(name)) values.delete(name);
    }
    return results;
  };
  return {
    run: (inputs, options) => {
      const result = turn.then(() => {
        if (options?.signal?.aborted) throw new NoodleError('INTERRUPTED');
        return runParts(inputs, options).finally(cancel);
      });
      turn = result.catch(() => undefined);
      return result;
    },
    release: async () => {
      await turn;
      for (const session of kept.values()) await session.release();
      kept.clear();
      for (const part of parts) await part.forget?.();
    },
  };
}
