/** Programs larger than the memory budget: cut into parts that are opened, run and released in turn. */
import { NoodleError } from '../errors.ts';
import { bindSizes } from '../tensor/sizes.ts';
import { partition } from '../tensor/partition.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import type { Session, SessionInput } from './session.ts';

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
  readonly open: () => Promise<Session>;
}

/** What the parts take together when they run in turn. */
export interface PartsPlan {
  /** The leading parts that stay open from one run to the next. */
  readonly resident: number;
  readonly bytes: number;
}

/** As many leading parts stay open as leave room for the largest of the others. */
export function planParts(parts: readonly Pick<Part, 'bytes'>[], budget: number): PartsPlan {
  const largest = (from: number): number =>
    parts.slice(from).reduce((most, { bytes }) => Math.max(most, bytes), 0);
  let kept = 0;
  for (let resident = 0; ; resident++) {
    const next = resident < parts.length ? kept + parts[resident].bytes : Infinity;
    if (next + largest(resident + 1) > budget) return { resident, bytes: kept + largest(resident) };
    kept = next;
  }
}

/**
 * A session of a program in parts. Each run hands the tensors between parts on, and frees them after
 * their last reader; parts that are not resident are open only while they run. Runs wait for each other.
 */
export function sessionOfParts(
  program: Pick<Program, 'inputs' | 'sizes' | 'outputs'>,
  parts: readonly Part[],
  { resident }: PartsPlan,
): Session {
  const kept = new Map<Part, Session>();
  let turn: Promise<unknown> = Promise.resolve();

  const withPart = async <T>(part: Part, action: (session: Session) => Promise<T>): Promise<T> => {
    const session = kept.get(part) ?? (await part.open());
    if (parts.indexOf(part) < resident) kept.set(part, session);
    try {
      return await action(session);
    } finally {
      if (!kept.has(part)) await session.release();
    }
  };
  const run: Session['run'] = async (inputs, options) => {
    bindSizes(program, inputs);
    const values = new Map<string, SessionInput>(Object.entries(inputs));
    const results: Awaited<ReturnType<Session['run']>> = {};
    for (const [i, part] of parts.entries()) {
      const own = part.program.inputs.map(({ attrs: { name } }) => [name, values.get(name)!]);
      const made = await withPart(part, (session) =>
        session.run(Object.fromEntries(own) as Record<string, SessionInput>, options),
      );
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
        return run(inputs, options);
      });
      turn = result.catch(() => undefined);
      return result;
    },
    release: async () => {
      await turn;
      for (const session of kept.values()) await session.release();
      kept.clear();
    },
  };
}
