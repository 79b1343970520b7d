import type { LGraphNode } from '@comfyorg/litegraph';
import type { NodeOutput } from '../api/types.ts';

/** A workflow and the prompt made of it. */
export interface MadePrompt {
  readonly workflow: Record<string, unknown>;
  readonly prompt: Record<string, unknown>;
}

/** What the editor tells the page scripts of node packs, and what it lets them change. */
export interface PackScripts {
  /** A node of a declared class was made. */
  readonly created: (node: LGraphNode) => void;
  /** A workflow is about to be put on the canvas. */
  readonly loading: (data: unknown) => void;
  /** It is there now. */
  readonly loaded: (nodes: readonly LGraphNode[], missing: readonly string[]) => void;
  /** A node's output arrived. */
  readonly executed: (node: LGraphNode, output: NodeOutput) => void;
  /** The prompt as it is sent. */
  readonly finish: (made: MadePrompt) => Promise<MadePrompt>;
}

/** Where no pack has scripts for the page. */
export const noPackScripts: PackScripts = {
  created: () => undefined,
  loading: () => undefined,
  loaded: () => undefined,
  executed: () => undefined,
  finish: async (made) => made,
};
