import type { LGraphCanvas, LGraphNode } from '@comfyorg/litegraph';
import type { SearchRequest } from '../state.ts';

/** What the canvas asks of the page. */
export interface CanvasHost {
  readonly search: (request: SearchRequest) => void;
  readonly openImage: (node: LGraphNode, index: number) => void;
  readonly editMask: (node: LGraphNode, index: number) => void;
  /** A change of the graph is done: it is an undo step of its own. */
  readonly changed: () => void;
  /** Something went wrong that its user has to know. */
  readonly complain: (text: string) => void;
}

/** A canvas with its page, as tools see it. */
export type HostedCanvas = LGraphCanvas & { readonly host: CanvasHost };

/** A canvas that the search adds nodes to. */
export type SearchCanvas = HostedCanvas & {
  addNode(type: string, at: readonly [number, number]): LGraphNode | null;
};
