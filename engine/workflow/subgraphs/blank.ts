/** The definition of a new subgraph, without what lies in it. */
import { INPUT_NODE, OUTPUT_NODE, type Loose } from './level.ts';

export interface BlankParts {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
  /** `[x, y, width, height]` around the nodes that are to lie in it. */
  readonly bounds: readonly [number, number, number, number];
  readonly inputs: readonly BlankSocket[];
  readonly outputs: readonly BlankSocket[];
  /** Makes ids for the sockets. */
  readonly uuid: () => string;
}

interface BlankSocket {
  readonly name: string;
  readonly type: unknown;
  readonly label?: unknown;
}

/** Height of a socket's line, in graph units. */
export const socketHeight = 20;
const endWidth = 120;
/** Between the ends and the nodes. */
const gap = 50;

/** A definition as ComfyUI stores it, its two ends left and right of the middle of its nodes. */
export function blankDefinition({ id, name, bounds, inputs, outputs, uuid }: BlankParts): Loose {
  const [x, y, width, height] = bounds;
  const end = (node: number, left: number, { length }: readonly BlankSocket[]): Loose => {
    const tall = (length + 1) * socketHeight + 20;
    return { id: node, bounding: [left, y + (height - tall) / 2, endWidth, tall] };
  };
  const socket = ({ name: own, type, label }: BlankSocket): Loose => {
    const made: Loose = { id: uuid(), name: own, type, linkIds: [] };
    if (typeof label === 'string') made.label = label;
    return made;
  };
  return {
    id,
    version: 1,
    state: { lastGroupId: 0, lastNodeId: 0, lastLinkId: 0, lastRerouteId: 0 },
    revision: 0,
    config: {},
    name,
    inputNode: end(INPUT_NODE, x - gap - endWidth, inputs),
    outputNode: end(OUTPUT_NODE, x + width + gap, outputs),
    inputs: inputs.map(socket),
    outputs: outputs.map(socket),
    widgets: [],
    extra: {},
  };
}
