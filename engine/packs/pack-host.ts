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
export const createPackHost = (options: PackHostOptions): PackHost => new Host(options);

/** What is known of the packs, and the process that knows it: one at a time, started again when it ended. */
class Host implements PackHost {
  private readonly options: PackHostOptions;
  private readonly problems: Problems;
  private readonly children = new Set<PackChild>();
  private state = EMPTY;
  /** All nodes, put together once for a state. */
  private registry: NodeRegistry | undefined;
  private child: PackChild | undefined;
  /** The load that everybody waits for. */
  private current: Promise<void> | undefined;
  private restarting: Promise<void> | undefined;
  private refreshing: Promise<void> | undefined;
  private failedRefreshes = 0;
  private closed = false;
  /** Packs that may not be loaded. */
  private excluded = new Set<string>();

  constructor(options: PackHostOptions) {
    this.options = options;
    this.problems = new Problems(options.log);
  }

  start(): void {
    this.current ??= this.load();
  }

  async nodes(): Promise<NodeRegistry> {
    await this.known();
    if (this.state.changing) {
      this.refreshing ??= this.refreshChoices().finally(() => (this.refreshing = undefined));
      await this.refreshing;
    }
    this.registry ??= new Map([...(await this.options.builtin), ...this.state.nodes]);
    return this.registry;
  }

  async loadable(): Promise<readonly string[]> {
    await this.known();
    return this.state.packs.map(({ path }) => path).filter((path) => !this.excluded.has(path));
  }

  async reports(): Promise<readonly PackReport[]> {
    await this.known();
    return this.state.paths.map((path) => {
      const id = packId(path);
      const pack = this.state.packs.find((loaded) => loaded.path === path);
      const problems = this.problems.of(id).map(({ error, stack }) => ({ error, stack }));
      return { id, name: id, path, nodes: [], ...pack, problems };
    });
  }

  blame(path: string, how: string): void {
    if (this.excluded.has(path)) return;
    this.exclude(path, `in an engine: ${how}`);
    const { packs, nodes } = this.state;
    const gone = packs.find((pack) => pack.path === path)?.nodes ?? [];
    this.become({
      ...this.state,
      packs: packs.filter((pack) => pack.path !== path),
      nodes: new Map([...nodes].filter(([name]) => !gone.includes(name))),
    });
  }

  async reload(): Promise<void> {
    await this.current;
    this.excluded = new Set();
    this.problems.clear();
    await (this.current = this.load());
  }

  close(): void {
    this.closed = true;
    for (const each of this.children) each.kill();
  }

  private async known(): Promise<void> {
    this.current ??= this.load();
    // A reload may begin while an earlier one is waited for.
    for (let waited: unknown; waited !== this.current;) await (waited = this.current);
  }

  /** Loads what may be loaded, leaving out one pack more each time the process dies. */
  private async load(): Promise<void> {
    const all = this.options.find();
    for (let failures = 0; ;) {
      const paths = all.filter((path) => !this.excluded.has(path));
      if (this.closed) return;
      if (paths.length === 0) return this.adopt(undefined, all, undefined);
      const started = this.startChild(paths);
      const outcome = await started.loaded;
      if (outcome.type === 'loaded') return this.adopt(started, all, outcome);
      if (outcome.path !== undefined) {
        this.exclude(outcome.path, outcome.how);
      } else if (++failures === 2) {
        const error = `the pack process did not start: ${outcome.how}`;
        for (const path of paths) this.exclude(path, error);
      }
    }
  }

  private startChild(paths: readonly string[]): PackChild {
    const { folders, builtin, log, importLimit = 15_000, answerLimit = 30_000 } = this.options;
    const started = startPackChild({
      folders,
      paths,
      builtin: builtin.then(
        (nodes) => [...nodes.keys()],
        () => [], // whoever asks for the nodes hears of it
      ),
      importLimit,
      answerLimit,
      log,
      onProblem: (problem) => this.problems.report(problem),
      onEnd: (how) => {
        this.children.delete(started);
        if (this.child === started && !this.closed) {
          log('WARNING', `the pack process ended: ${how}`);
        }
      },
    });
    this.children.add(started);
    return started;
  }

  /** From now on this process is asked, and what it loaded is what there is. */
  private adopt(
    started: PackChild | undefined,
    paths: readonly string[],
    loaded: (LoadOutcome & { type: 'loaded' }) | undefined,
  ): void {
    const before = this.child;
    this.child = started;
    before?.kill();
    this.failedRefreshes = 0;
    for (const problem of loaded?.problems ?? []) this.problems.report(problem);
    const descriptions = loaded?.nodes ?? [];
    this.become({
      paths,
      packs: loaded?.packs ?? [],
      nodes: this.revive(descriptions),
      changing: descriptions.some(({ changing }) => changing),
    });
  }

  private become(state: State): void {
    this.state = state;
    this.registry = undefined;
  }

  private exclude(path: string, error: string): void {
    this.excluded.add(path);
    this.problems.report({ pack: packId(path), error });
  }

  private revive(descriptions: readonly NodeDescription[]): Map<string, NodeDefinition> {
    return new Map(
      descriptions.map((description) => {
        const node = reviveNode(description, (...asked) => this.check(...asked));
        return [node.name, node];
      }),
    );
  }

  /** The process, started again when it has ended since. */
  private async running(): Promise<PackChild> {
    await this.known();
    if (this.child?.isAlive() !== true) {
      this.restarting ??= this.load().finally(() => (this.restarting = undefined));
      await (this.current = this.restarting);
    }
    if (this.child === undefined) throw new Error('the pack could not be loaded');
    return this.child;
  }

  private async check(
    node: string,
    inputs: Record<string, unknown>,
    inputTypes: Readonly<Record<string, string>>,
  ): Promise<boolean | string> {
    const asked = await this.running();
    const answer = await asked.ask({ type: 'check', node, inputs: encode(inputs), inputTypes });
    return decode(answer) as boolean | string;
  }

  /** Takes over the choices that differ from what was known; what is known stays when nobody answers. */
  private async refreshChoices(): Promise<void> {
    try {
      const child = await this.running();
      const changed = (await child.ask({ type: 'choices' })) as NodeDescription[];
      this.failedRefreshes = 0;
      if (changed.length === 0) return;
      const nodes = new Map([...this.state.nodes, ...this.revive(changed)]);
      this.become({ ...this.state, nodes });
    } catch (error) {
      this.options.log('WARNING', `choices of packs: ${(error as Error).message}`);
      // Each try may cost its whole time limit.
      if (++this.failedRefreshes === 3) this.state = { ...this.state, changing: false };
    }
  }
}

/** Errors that are never the same would fill the memory. */
const MAX_PROBLEMS = 1000;

/** What is wrong with the packs, each said once: to the log, and to whoever asks. */
class Problems {
  private readonly log: PackHostOptions['log'];
  private list: PackProblem[] = [];

  constructor(log: PackHostOptions['log']) {
    this.log = log;
  }

  report(problem: PackProblem): void {
    const { pack, error, stack } = problem;
    // A timer says the same each second, and a process that starts again finds the same problems.
    if (this.list.some((known) => known.pack === pack && known.error === error)) return;
    if (this.list.length >= MAX_PROBLEMS) return;
    this.list.push(problem);
    const who = pack === '' ? 'a pack' : `pack '${pack}'`;
    const level = stack === undefined ? 'WARNING' : 'ERROR';
    this.log(level, `${who}: ${error}${stack ? `\n${stack}` : ''}`);
  }

  of(pack: string): PackProblem[] {
    return this.list.filter((problem) => problem.pack === pack);
  }

  clear(): void {
    this.list = [];
  }
}
