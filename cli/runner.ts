/** What `noodle run` needs of whatever runs the prompt: an engine of its own, or a server. */
import type { Json } from '../engine/workflow/lossless-json.ts';
import type { ApiPrompt, ObjectInfo } from '../engine/workflow/types.ts';

/** One finding about one node, or (without one) about the whole prompt. */
export interface Complaint {
  readonly nodeId?: string;
  readonly text: string;
}

export type RunEvent =
  | { readonly type: 'cached'; readonly nodeIds: readonly string[] }
  | { readonly type: 'node'; readonly nodeId: string }
  | {
      readonly type: 'progress';
      readonly nodeId: string;
      readonly value: number;
      readonly max: number;
    }
  | { readonly type: 'text'; readonly nodeId: string; readonly text: string }
  | { readonly type: 'log'; readonly text: string };

export interface RunResult {
  readonly status: 'success' | 'error' | 'interrupted' | 'invalid';
  /** Absolute paths of what was saved, in the order of the outputs. */
  readonly files: readonly string[];
  /** Texts that nodes show (PreviewAny and friends). */
  readonly texts: readonly string[];
  /** What was wrong; with status success: outputs that were left out. */
  readonly complaints: readonly Complaint[];
  /** How long each run took, where the engine is ours. */
  readonly seconds?: readonly number[];
}

export interface Runner {
  /** The text of a workflow saved under this name; undefined where there is none. */
  savedWorkflow(name: string): Promise<string | undefined>;
  readonly objectInfo: () => Promise<ObjectInfo>;
  /** Runs to the end; an abort of the signal interrupts. */
  readonly run: (
    prompt: ApiPrompt,
    options: {
      readonly workflow?: Json;
      /** Runs one after the other, where the engine is ours; the result is that of the last. */
      readonly times?: number;
      readonly signal: AbortSignal;
      readonly onEvent: (event: RunEvent) => void;
    },
  ) => Promise<RunResult>;
  readonly close: () => Promise<void>;
}

/** The parts of ComfyUI's validation answer that people read. */
export function validationComplaints(
  error: { readonly message: string; readonly details: string } | undefined,
  nodeErrors: Readonly<
    Record<string, { readonly errors: readonly { message: string; details: string }[] }>
  >,
): Complaint[] {
  const ofNodes = Object.entries(nodeErrors).flatMap(([nodeId, { errors }]) =>
    errors.map(({ message, details }) => ({ nodeId, text: joined(message, details) })),
  );
  if (ofNodes.length > 0 || error === undefined) return ofNodes;
  return [{ text: joined(error.message, error.details) }];
}

const joined = (message: string, details: string): string =>
  details === '' ? message : `${message}: ${details}`;

/** Events of a running prompt as ComfyUI's messages tell them. */
export function readMessage(event: string, data: Record<string, unknown>): RunEvent | undefined {
  const node = data.display_node ?? data.node;
  if (event === 'execution_cached' && Array.isArray(data.nodes)) {
    return { type: 'cached', nodeIds: data.nodes.map(String) };
  }
  if (typeof node !== 'string') return undefined;
  if (event === 'executing') return { type: 'node', nodeId: node };
  if (event === 'progress') {
    return { type: 'progress', nodeId: node, value: Number(data.value), max: Number(data.max) };
  }
  return undefined;
}

/** What an `execution_error` says. */
export function failureComplaint(data: Record<string, unknown>): Complaint {
  const text = typeof data.exception_message === 'string' ? data.exception_message.trim() : '';
  return {
    nodeId: typeof data.node_id === 'string' ? data.node_id : undefined,
    text: text === '' ? 'the node failed' : text,
  };
}
