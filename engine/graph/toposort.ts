/**
 * Which node runs next. Nodes wait for the outputs they are linked to; among the ready ones ComfyUI
 * picks, in the order they were added: output and async nodes, then nodes that feed an output, then
 * nodes that feed one of those, then any. Every step costs O(log n).
 */
import type { DynamicPrompt } from './dynamic-prompt.ts';
import type { NodeDefinition } from './definition.ts';
import { effectiveInputs } from './dynamic-inputs.ts';
import { isLazy, ownSpec } from './gather-inputs.ts';
import { heapPop, heapPush } from '../heap.ts';
import { entriesOf } from '../workflow/lossless-json.ts';
import { isLink, linkSource } from './link.ts';
import { PythonError } from '../python/error.ts';

export interface ExecutionListOptions {
  readonly prompt: DynamicPrompt;
  readonly definitionOf: (nodeId: string) => NodeDefinition;
  /** Whether the node's outputs are at hand. */
  readonly isCached: (nodeId: string) => boolean;
  /** A pending node reads this one's outputs (lazily or not) / does so no more. */
  readonly onUse: (nodeId: string) => void;
  readonly onRelease: (nodeId: string) => void;
}

/** The pending nodes of a run and what they wait for. */
export interface ExecutionList {
  readonly size: number;
  /** Adds a node and, through non-lazy links, all it needs that is not cached. */
  addNode(id: string): void;
  /** Makes `to` wait for `from`, unless that is cached. */
  addStrongLink(from: string, to: string): void;
  /** Turns a lazy input into one that is waited for; throws NodeInputError if it is no link. */
  makeInputStrongLink(id: string, input: string): void;
  /** `to` reads an output of `from` until it completes. */
  use(from: string, to: string): void;
  /** Holds a node back until the returned function is called. */
  addExternalBlock(id: string): () => void;
  /** Whether nodes are held back from outside. */
  readonly externalBlocks: number;
  /** The node to run now, without removing it; undefined when none is ready. */
  pick(): string | undefined;
  complete(id: string): void;
  /** Nodes that wait for each other (and those that wait for them), in the order they were added. */
  nodesInCycle(): string[];
}

interface Pending {
  readonly id: string;
  readonly order: number;
  readonly isOutput: boolean;
  readonly goesFirst: boolean;
  /** How many nodes and external blocks it waits for. */
  waits: number;
  readonly blocking: Set<Pending>;
  readonly blockedBy: Set<Pending>;
  /** Directly feeds an output node; feeds a node that does. */
  feedsOutput: boolean;
  feedsFeeder: boolean;
  readonly uses: string[];
}

/** A node's place among those added; a node that was completed and added again has another one. */
type Place = Pick<Pending, 'id' | 'order'>;

const isEarlier = (a: Place, b: Place): boolean => a.order < b.order;

/** An empty list for one run. */
export function createExecutionList(options: ExecutionListOptions): ExecutionList {
  const { prompt } = options;
  const pending = new Map<string, Pending>();
  const queues: Place[][] = [[], [], [], []];
  let added = 0;
  let externalBlocks = 0;

  const urgency = (node: Pending): number => {
    if (node.goesFirst) return 0;
    if (node.feedsOutput) return 1;
    return node.feedsFeeder ? 2 : 3;
  };
  const enqueueIfReady = (node: Pending): void => {
    if (node.waits === 0) heapPush(queues[urgency(node)], node, isEarlier);
  };

  /** `from` now blocks a node: it, and those it waits for, may have become more urgent. */
  const raise = (from: Pending, to: Pending): void => {
    if (to.isOutput && !from.feedsOutput) {
      from.feedsOutput = true;
      enqueueIfReady(from);
      for (const source of from.blockedBy) raiseFeeder(source);
    }
    if (to.feedsOutput) raiseFeeder(from);
  };
  const raiseFeeder = (node: Pending): void => {
    if (node.feedsFeeder) return;
    node.feedsFeeder = true;
    enqueueIfReady(node);
  };

  const create = (id: string): Pending => {
    const definition = options.definitionOf(id);
    const isOutput = definition.outputNode === true;
    const node: Pending = {
      id,
      order: added++,
      isOutput,
      goesFirst: isOutput || definition.parallel === true,
      waits: 0,
      blocking: new Set(),
      blockedBy: new Set(),
      feedsOutput: false,
      feedsFeeder: false,
      uses: [],
    };
    pending.set(id, node);
    return node;
  };

  const addNode = (start: string): void => {
    const stack = [start];
    const links: [from: string, to: string][] = [];
    const fresh: Pending[] = [];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (pending.has(id)) continue;
      const node = create(id);
      fresh.push(node);
      if (options.isCached(id)) continue; // a cached node needs none of its inputs
      const { inputs } = prompt.getNode(id);
      const declared = effectiveInputs(options.definitionOf(id), inputs);
      for (const [name, value] of entriesOf(inputs)) {
        if (!isLink(value)) continue;
        const from = linkSource(value);
        if (!prompt.hasNode(from)) {
          if (isLazy(ownSpec(declared, name))) continue;
          throw missingSource(id, from);
        }
        node.uses.push(from);
        options.onUse(from);
        if (isLazy(ownSpec(declared, name)) || options.isCached(from)) continue;
        stack.push(from);
        links.push([from, id]);
      }
    }
    for (const [from, to] of links) addStrongLink(from, to);
    for (const node of fresh) enqueueIfReady(node);
  };

  const addStrongLink = (fromId: string, toId: string): void => {
    if (options.isCached(fromId)) return;
    if (!pending.has(fromId)) addNode(fromId);
    const from = pending.get(fromId);
    const to = pending.get(toId);
    if (from === undefined || to === undefined || from.blocking.has(to)) return;
    from.blocking.add(to);
    to.blockedBy.add(from);
    to.waits++;
    raise(from, to);
  };

  return {
    get size() {
      return pending.size;
    },
    get externalBlocks() {
      return externalBlocks;
    },
    addNode,
    addStrongLink,
    makeInputStrongLink(id, input) {
      const { inputs } = prompt.getNode(id);
      const asks = `Node ${id} says it needs input ${input}, but`;
      if (!Object.hasOwn(inputs, input)) {
        throw new PythonError(NODE_INPUT_ERROR, `${asks} there is no input to that node at all`);
      }
      const value: unknown = inputs[input];
      if (!isLink(value)) {
        throw new PythonError(NODE_INPUT_ERROR, `${asks} that value is a constant`);
      }
      if (!prompt.hasNode(linkSource(value))) throw missingSource(id, linkSource(value));
      addStrongLink(linkSource(value), id);
    },
    use(from, to) {
      pending.get(to)?.uses.push(from);
      options.onUse(from);
    },
    addExternalBlock(id) {
      const node = pending.get(id);
      if (node === undefined) throw new Error(`node ${id} is not pending`);
      externalBlocks++;
      node.waits++;
      return () => {
        externalBlocks--;
        node.waits--;
        if (pending.get(id) === node) enqueueIfReady(node);
      };
    },
    pick() {
      for (const [level, queue] of queues.entries()) {
        for (let head = queue.at(0); head !== undefined; head = queue.at(0)) {
          const node = pending.get(head.id);
          // Entries go stale when a node completes, waits again or becomes more urgent.
          const current = node?.order === head.order && node.waits === 0 && urgency(node) === level;
          if (current) return head.id;
          heapPop(queue, isEarlier);
        }
      }
      return undefined;
    },
    complete(id) {
      const node = pending.get(id);
      if (node === undefined) return;
      pending.delete(id);
      for (const blocked of node.blocking) {
        blocked.blockedBy.delete(node);
        blocked.waits--;
        enqueueIfReady(blocked);
      }
      for (const from of node.uses) options.onRelease(from);
    },
    nodesInCycle() {
      const waits = new Map([...pending.values()].map((node) => [node, node.blockedBy.size]));
      const free = [...waits.keys()].filter((node) => waits.get(node) === 0);
      for (let node = free.pop(); node !== undefined; node = free.pop()) {
        waits.delete(node);
        for (const blocked of node.blocking) {
          const left = (waits.get(blocked) ?? 0) - 1;
          waits.set(blocked, left);
          if (left === 0) free.push(blocked);
        }
      }
      return [...waits.keys()].map((node) => node.id);
    },
  };
}

const NODE_INPUT_ERROR = 'comfy_execution.graph.NodeInputError';

const missingSource = (id: string, from: string): PythonError =>
  new PythonError(
    'comfy_execution.graph.NodeNotFoundError',
    `Node ${from} not found (linked to by node ${id})`,
  );
