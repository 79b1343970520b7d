/** The state of one prompt while it runs. */
import type { Json } from '../workflow/lossless-json.ts';
import type { CallResult, Ui } from './call-results.ts';
import type { CacheSet } from './caches.ts';
import type { NodeDefinition, NodeRegistry, Prompt } from './definition.ts';
import type { DynamicPrompt } from './dynamic-prompt.ts';
import type { GraphMessage, NodeMeta } from './messages.ts';
import type { Progress } from './progress.ts';
import { PythonError } from '../python/error.ts';
import { pythonRepr } from '../python/repr.ts';
import type { RunStore } from './run-store.ts';
import type { Shown } from './shown.ts';
import type { Signatures } from './signature.ts';
import type { ExecutionList } from './toposort.ts';

/** A prompt to run. */
export interface Job {
  readonly promptId: string;
  /** Validated; IS_CHANGED values are written into it. */
  readonly prompt: Prompt;
  /** Output nodes to run. */
  readonly outputs: readonly string[];
  readonly extraData: Readonly<Record<string, Json>>;
}

/** What running a prompt needs from outside. */
export interface Host {
  readonly nodes: NodeRegistry;
  /** Lent to nodes as `context.services`. */
  readonly services: unknown;
  /** Survives prompts; see caches.ts. */
  readonly caches: CacheSet;
  readonly emit: (message: GraphMessage) => void;
  /** Puts what was said on its way: what comes next may keep this thread busy. */
  readonly flush?: () => void;
  /** Hears what a node shows before anybody is told. */
  readonly onShow?: (ui: Ui) => void;
  /** Whether what a kept result shows is still there; a node whose files are gone runs again. */
  readonly isThere?: (ui: Ui) => boolean;
  /** Aborted to interrupt the prompt. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Memory ran out: models may be unloaded before anything else runs. */
  readonly onOutOfMemory?: () => void;
}

/** A call that did not finish at once. */
export interface Task {
  state: 'pending' | 'done' | 'failed';
  value: unknown;
  readonly settled: Promise<void>;
}

/** What the calls of a node came to so far, in call order. */
export type PendingCalls = readonly (Task | { readonly value: unknown })[];

/** Calls of an expanding node: finished ones, and ones whose values come from new nodes. */
export interface PendingExpansion {
  readonly calls: readonly CallResult[];
  readonly ui: Ui;
}

export interface Run {
  readonly job: Job;
  readonly host: Host;
  readonly prompt: DynamicPrompt;
  readonly list: ExecutionList;
  readonly store: RunStore;
  readonly signatures: Signatures;
  readonly progress: Progress;
  /** Aborted on interrupt, and at the end so that pending async nodes stop. */
  readonly signal: AbortSignal;
  /** Nodes that finished in this run (not cached ones), in order. */
  readonly executed: string[];
  /** Nodes whose `executed` told of something. */
  readonly shown: Map<string, NodeMeta>;
  /** How much they told. */
  readonly amount: Shown;
  readonly pendingCalls: Map<string, PendingCalls>;
  readonly pendingExpansions: Map<string, PendingExpansion>;
  /** Wakes the loop when an async node is done. */
  readonly wake: () => void;
  isOver(): boolean;
}

/** The definition of a node's class; throws KeyError when the class is unknown. */
export function definitionOf(
  nodes: NodeRegistry,
  prompt: DynamicPrompt,
  nodeId: string,
): NodeDefinition {
  const classType = prompt.getNode(nodeId).class_type;
  const definition = nodes.get(classType);
  if (definition === undefined) throw new PythonError('KeyError', pythonRepr(classType));
  return definition;
}

/** Forgets kept results whose files are gone. */
export function dropLost({ host }: Run, nodeIds: readonly string[]): void {
  if (host.isThere === undefined) return;
  for (const id of nodeIds) {
    const ui = host.caches.outputs.get(id)?.ui;
    if (ui !== undefined && !host.isThere(ui)) host.caches.outputs.delete(id);
  }
}

/** A node's identity for previews and history. */
export const metaOf = (prompt: DynamicPrompt, nodeId: string): NodeMeta => ({
  node_id: nodeId,
  display_node: prompt.getDisplayNodeId(nodeId),
  parent_node: prompt.getParentNodeId(nodeId),
  real_node_id: prompt.getRealNodeId(nodeId),
});
