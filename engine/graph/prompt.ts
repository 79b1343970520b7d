/** What runs: nodes by id, as a client sends them and as expansions add them. */
import type { Json } from '../workflow/lossless-json.ts';

/** One node of an API-format prompt. */
export interface PromptNode {
  class_type: string;
  inputs: Record<string, Json>;
  _meta?: { title?: string };
  /** Set by the executor; a client may send its own (ComfyUI's IS_CHANGED result). */
  is_changed?: Json;
  override_display_id?: string;
}

/** An API-format prompt: node id -> node. */
export type Prompt = Record<string, PromptNode>;

/** A node of an expansion: as in a prompt, but constants may be any value (also tensors). */
export interface GraphNode {
  readonly class_type: string;
  readonly inputs: Record<string, unknown>;
  readonly override_display_id?: string;
}
