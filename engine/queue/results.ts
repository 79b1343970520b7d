/** Results of jobs that no engine brought to an end. */
import { stringifyJson } from '../workflow/lossless-json.ts';
import type { JobResult } from './store.ts';

/** The node that was running, where one is known. */
export interface FailedNode {
  readonly node_id: string | null;
  readonly node_type: string | null;
  readonly executed: readonly string[];
}

const NOWHERE: FailedNode = { node_id: null, node_type: null, executed: [] };

/** JSON text of `execution_error`'s data, in ComfyUI's shape. */
export function errorData(
  id: string,
  type: string,
  message: string,
  timestamp: number,
  node: FailedNode = NOWHERE,
): string {
  return stringifyJson({
    prompt_id: id,
    ...node,
    exception_message: `${message}\n`,
    exception_type: type,
    traceback: [],
    current_inputs: {},
    current_outputs: [],
    timestamp,
  });
}

/** A job that failed before or outside of every engine. */
export function failedResult(
  id: string,
  type: string,
  message: string,
  timestamp: number,
): JobResult {
  return {
    status: 'error',
    completed: false,
    messages: [['execution_error', errorData(id, type, message, timestamp)]],
    outputs: '{}',
    meta: '{}',
  };
}
