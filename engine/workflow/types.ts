/** Shapes of the editor's files and of what the server says about its node classes. */
import type { Json } from './lossless-json.ts';

/** `[type or list of choices, options?]` as object_info prints an input. */
export type InputInfo = readonly [
  type: string | readonly unknown[],
  options?: Readonly<Record<string, unknown>>,
];

/** The part of an object_info entry that the conversions use. */
export interface NodeInfo {
  readonly input?: {
    readonly required?: Readonly<Record<string, InputInfo>>;
    readonly optional?: Readonly<Record<string, InputInfo>>;
  };
  readonly input_order?: Readonly<Record<string, readonly string[]>>;
  readonly output?: readonly (string | readonly unknown[])[];
  readonly output_name?: readonly string[];
  readonly display_name?: string | null;
  readonly output_node?: boolean;
}

/** Body of GET /object_info. */
export type ObjectInfo = Readonly<Record<string, NodeInfo>>;

/** One node of an API prompt. */
export interface ApiNode {
  class_type: string;
  inputs: Record<string, Json>;
  _meta?: { title?: string };
}

/** An API prompt: node id -> node. */
export type ApiPrompt = Record<string, ApiNode>;

/** A node's modes in the editor. */
export const MODE_MUTED = 2;
export const MODE_BYPASSED = 4;

/** Origin of links from a subgraph's own inputs, and target of links to its outputs. */
export const SUBGRAPH_INPUT = '-10';
export const SUBGRAPH_OUTPUT = '-20';

/** An input of a node in a file. */
export interface InputSlot {
  readonly name: string;
  readonly type: string;
  readonly link?: string;
  /** Name of the widget that the slot stands for. */
  readonly widget?: string;
  readonly label?: string;
}

/** A node in a file, ids as text. */
export interface GraphNode {
  readonly id: string;
  readonly type: string;
  readonly mode: number;
  readonly title?: string;
  readonly inputs: readonly InputSlot[];
  readonly outputs: readonly { readonly name: string; readonly type: string }[];
  readonly values?: readonly Json[] | Readonly<Record<string, Json>>;
  readonly properties: Readonly<Record<string, Json>>;
}

export interface GraphLink {
  readonly originId: string;
  readonly originSlot: number;
  readonly targetId: string;
  readonly targetSlot: number;
  readonly type: string;
}

/** One level of a workflow: the root, or the body of a subgraph. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly links: ReadonlyMap<string, GraphLink>;
}

/** A subgraph definition (or a legacy group node rewritten as one). */
export interface Subgraph extends Graph {
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  /** Per output slot, the link that feeds it. */
  readonly outputs: readonly (GraphLink | undefined)[];
  /** Set for a group node. */
  readonly group?: GroupShape;
}

/** What an instance of a group node holds, which differs from a subgraph's. */
export interface GroupShape {
  /** Its first inputs, as many as this, are sockets and count by position; widgets follow. */
  readonly sockets: number;
  /** Its widgets_values: either whole lists of inner nodes one after the other, … */
  readonly lists?: readonly { readonly nodeId: string; readonly length: number }[];
  /** … or single inner widgets (seed controls in between). */
  readonly widgets: readonly { readonly nodeId: string; readonly name: string }[];
}

/** A whole file. */
export interface Workflow extends Graph {
  /** By the `type` of their instances. */
  readonly subgraphs: ReadonlyMap<string, Subgraph>;
  /** Legacy group node definitions by name, as stored. */
  readonly groups: Readonly<Record<string, Json>>;
}
