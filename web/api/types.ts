/**
 * What the page reads from the server's JSON, where the wire protocol leaves a value open: node
 * descriptions (GET /object_info), output references and validation errors (spec 1.3, 3).
 */

/** One node class as GET /object_info describes it (V1 and V3 forms together). */
export interface NodeInfo {
  readonly name: string;
  readonly display_name?: string | null;
  readonly description?: string | null;
  readonly category: string;
  readonly python_module?: string;
  readonly output_node?: boolean;
  readonly deprecated?: boolean | null;
  readonly experimental?: boolean | null;
  readonly api_node?: boolean | null;
  readonly input: Readonly<Partial<Record<'required' | 'optional' | 'hidden', InputGroup>>>;
  readonly input_order?: Readonly<Partial<Record<'required' | 'optional', readonly string[]>>>;
  readonly output: readonly (string | readonly unknown[])[];
  readonly output_name?: readonly (string | null)[] | null;
  readonly output_is_list?: readonly boolean[];
  readonly output_tooltips?: readonly (string | null)[] | null;
  readonly search_aliases?: readonly string[] | null;
}

/** Input name -> [type or legacy choices, options?]. */
export type InputGroup = Readonly<Record<string, unknown>>;

export type ObjectInfo = Readonly<Record<string, NodeInfo>>;

/** A device that engines compute on: GET /v1/system. */
export interface DeviceInfo {
  readonly id: string;
  readonly name: string;
  readonly precision: string;
  /** Bytes that models take, and may take. */
  readonly used: number;
  readonly budget: number;
  /** Bytes that each of their runs reads anew for want of memory. */
  readonly streamed: number;
}

/** A picture (or other file) a node produced: GET /view?filename=…&subfolder=…&type=…. */
export interface FileRef {
  readonly filename: string;
  readonly subfolder?: string;
  readonly type?: string;
}

/** `executed.output` / history `outputs[id]`: lists under well-known keys. */
export type NodeOutput = Readonly<Record<string, unknown>>;

/** One entry of `node_errors[id].errors`. */
export interface InputError {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info?: { readonly input_name?: string; readonly received_value?: unknown };
}

export interface NodeErrors {
  readonly errors: readonly InputError[];
  readonly dependent_outputs?: readonly string[];
  readonly class_type?: string;
}

/** Answer of POST /prompt, good or bad. */
export interface PromptAnswer {
  readonly ok: boolean;
  readonly promptId?: string;
  readonly error?: { readonly type: string; readonly message: string; readonly details: string };
  readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
}

/** Queue item `[number, prompt_id, prompt, extra_data, outputs_to_execute]`. */
export interface QueueItem {
  readonly number: number;
  readonly promptId: string;
  readonly prompt: Readonly<Record<string, unknown>>;
  readonly extraData: Readonly<Record<string, unknown>>;
}

export interface HistoryEntry extends QueueItem {
  readonly outputs: Readonly<Record<string, NodeOutput>>;
  readonly status: 'success' | 'error' | 'interrupted';
  /** Milliseconds from execution_start to the end, when both were recorded. */
  readonly duration: number | null;
  readonly errorMessage: string | null;
}
