/**
 * All nodes of an installation as the server knows them: the built-in ones, and those of the packs in
 * custom_nodes, which live in a process of their own (pack-process.ts). A pack that ends that process
 * or never comes to an end is reported and left out; the others load without it.
 */
import type { FolderSettings } from '../config.ts';
import type { NodeDefinition, NodeRegistry } from '../graph/definition.ts';
import type { Log } from '../log.ts';
import { packId } from './find-packs.ts';
import type { LoadedPack, PackProblem } from './load-packs.ts';
import { reviveNode } from './describe.ts';
import type { NodeDescription } from './messages.ts';
import { decode, encode } from './messages.ts';
import { type LoadOutcome, type PackChild, startPackChild } from './pack-child.ts';

export interface PackHostOptions {
  readonly folders: FolderSettings;
  /** The packs there are now; see `findPacks`. */
  readonly find: () => readonly string[];
  readonly builtin: Promise<NodeRegistry>;
  readonly log: Log;
  /** Milliseconds one pack may take to load. */
  readonly importLimit?: number;
  /** Milliseconds a check may take. */
  readonly answerLimit?: number;
}

/** A pack and how it fared. */
export interface PackReport {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly nodes: readonly string[];
  readonly webDirectory?: string;
  readonly problems: readonly Omit<PackProblem, 'pack'>[];
}

export interface PackHost {
  /** Starts loading; nothing is loaded before. */
  start(): void;
  /** All nodes, once they are known, with lists of choices as they are now. Another map after a change. */
  nodes(): Promise<NodeRegistry>;
  /** The packs that engines may load, in order, once they are known. */
  loadable(): Promise<readonly string[]>;
  /** The packs found, broken ones too, once they are known. */
  reports(): Promise<readonly PackReport[]>;
  /** A pack brought an engine down while it was loaded: it is left out from now on. */
  blame(path: string, how: string): void;
  /** Looks for packs again and loads all of them anew; the nodes change when that is done. */
  reload(): Promise<void>;
  close(): void;
}

interface State {
  readonly paths: readonly string[];
  readonly packs: readonly LoadedPack[];
  readonly nodes: ReadonlyMap<string, NodeDefinition>;
  /** Some choices are functions. */
  readonly changing: boolean;
}

const EMPTY: State = { paths: [], packs: [], nodes: new Map(), changing: false };

/** A host; its process is started with the first `start`, and only when there are packs. */
export function createPackHost(options: PackHostOptions): PackHost {
  const { log, builtin, importLimit = 15_000, answerLimit = 30_000 } = options;
  let state = EMPTY;
  let registry: NodeRegistry | undefined;
  let child: PackChild | undefined;
  let current: Promise<void> | undefined;
  let restarting: Promise<void> | undefined;
  let refreshing: Promise<void> | undefined;
  let failedRefreshes = 0;
  const children = new Set<PackChild>();
  let closed = false;
  /** Packs that may not be loaded. */
  let excluded = new Set<string>();
  let problems: PackProblem[] = [];

  const report = (problem: PackProblem): void => {
    const { pack, error, stack } = problem;
    // A timer says the same each second, and a process that starts again finds the same problems.
    if (problems.some((known) => known.pack === pack && known.error === error)) return;
    if (problems.length >= MAX_PROBLEMS) return;
    problems.push(problem);
    const who = pack === '' ? 'a pack' : `pack '${pack}'`;
    log(stack === undefined ? 'WARNING' : 'ERROR', `${who}: ${error}${stack ? `\n${stack}` : ''}`);
  };

  const exclude = (path: string, error: string): void => {
    excluded.add(path);
    report({ pack: packId(path), error });
  };

  /** Loads what may be loaded, leaving out one pack more each time the process dies. */
  const load = async (): Promise<void> => {
    const all = options.find();
    for (let failures = 0; ;) {
      const paths = all.filter((path) => !excluded.has(path));
      if (closed) return;
      if (paths.length === 0) return adopt(undefined, all, undefined);
      const started = startPackChild({
        folders: options.folders,
        paths,
        builtin: builtin.then(
          (nodes) => [...nodes.keys()],
          () => [], // whoever asks for the nodes hears of it
        ),
        importLimit,
        answerLimit,
        log,
        onProblem: report,
        onEnd: (how) => {
          children.delete(started);
          if (child === started && !closed) log('WARNING', `the pack process ended: ${how}`);
        },
      });
      children.add(started);
      const outcome = await started.loaded;
      if (outcome.type === 'loaded') return adopt(started, all, outcome);
      if (outcome.path !== undefined) {
        exclude(outcome.path, outcome.how);
      } else if (++failures === 2) {
        for (const path of paths) exclude(path, `the pack process did not start: ${outcome.how}`);
      }
    }
  };

  const adopt = (
    started: PackChild | undefined,
    paths: readonly string[],
    loaded: (LoadOutcome & { type: 'loaded' }) | undefined,
  ): void => {
    const before = child;
    child = started;
    before?.kill();
    failedRefreshes = 0;
    loaded?.problems.forEach(report);
    const descriptions = loaded?.nodes ?? [];
    state = {
      paths,
      packs: loaded?.packs ?? [],
      nodes: revive(descriptions),
      changing: descriptions.some(({ changing }) => changing),
    };
    registry = undefined;
  };

  const revive = (descriptions: readonly NodeDescription[]): Map<string, NodeDefinition> =>
    new Map(
      descriptions.map((description) => {
        const node = reviveNode(description, check);
        return [node.name, node];
      }),
    );

  /** The process, started again when it has ended since. */
  const running = async (): Promise<PackChild> => {
    await known();
    if (child?.isAlive() !== true) {
      restarting ??= load().finally(() => (restarting = undefined));
      await (current = restarting);
    }
    if (child === undefined) throw new Error('the pack could not be loaded');
    return child;
  };

  const check = async (
    node: string,
    inputs: Record<string, unknown>,
    inputTypes: Readonly<Record<string, string>>,
  ): Promise<boolean | string> => {
    const asked = await running();
    const answer = await asked.ask({ type: 'check', node, inputs: encode(inputs), inputTypes });
    return decode(answer) as boolean | string;
  };

  /** Takes over the choices that differ from what was known; what is known stays when nobody answers. */
  const refreshChoices = async (): Promise<void> => {
    try {
      const changed = (await (await running()).ask({ type: 'choices' })) as NodeDescription[];
      failedRefreshes = 0;
      if (changed.length === 0) return;
      state = { ...state, nodes: new Map([...state.nodes, ...revive(changed)]) };
      registry = undefined;
    } catch (error) {
      log('WARNING', `choices of packs: ${(error as Error).message}`);
      // Each try may cost its whole time limit.
      if (++failedRefreshes === 3) state = { ...state, changing: false };
    }
  };

  const known = async (): Promise<void> => {
    current ??= load();
    // A reload may begin while an earlier one is waited for.
    for (let waited: unknown; waited !== current;) await (waited = current);
  };

  return {
    start: () => void (current ??= load()),
    nodes: async () => {
      await known();
      if (state.changing) {
        refreshing ??= refreshChoices().finally(() => (refreshing = undefined));
        await refreshing;
      }
      registry ??= new Map([...(await builtin), ...state.nodes]);
      return registry;
    },
    loadable: async () => {
      await known();
      return state.packs.map(({ path }) => path).filter((path) => !excluded.has(path));
    },
    reports: async () => {
      await known();
      return state.paths.map((path) => {
        const id = packId(path);
        const pack = state.packs.find((loaded) => loaded.path === path);
        const own = problems.filter((problem) => problem.pack === id);
        return {
          ...{ id, name: id, path, nodes: [] },
          ...pack,
          problems: own.map(({ error, stack }) => ({ error, stack })),
        };
      });
    },
    blame: (path, how) => {
      if (excluded.has(path)) return;
      exclude(path, `in an engine: ${how}`);
      const gone = state.packs.find((pack) => pack.path === path)?.nodes ?? [];
      state = {
        ...state,
        packs: state.packs.filter((pack) => pack.path !== path),
        nodes: new Map([...state.nodes].filter(([name]) => !gone.includes(name))),
      };
      registry = undefined;
    },
    reload: async () => {
      await current;
      excluded = new Set();
      problems = [];
      await (current = load());
    },
    close: () => {
      closed = true;
      for (const each of children) each.kill();
    },
  };
}

/** Errors that are never the same would fill the memory. */
const MAX_PROBLEMS = 1000;
