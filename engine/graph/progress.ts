/** Progress of every node of a run, told to the client as `progress_state` snapshots. */
import { Float, stringifyJson } from '../workflow/lossless-json.ts';
import type { DynamicPrompt } from './dynamic-prompt.ts';

export interface Progress {
  start(nodeId: string): void;
  update(nodeId: string, value: number, max: number): void;
  finish(nodeId: string): void;
  /** Sends what was held back. */
  flush(): void;
}

export interface ProgressOptions {
  readonly promptId: string;
  readonly prompt: DynamicPrompt;
  /** Sends the JSON text of a `progress_state`. */
  readonly send: (data: string) => void;
  readonly now: () => number;
}

/** Runs that touched at most this many nodes send the whole state each time, as ComfyUI does. */
const SMALL_RUN = 50;
/** Larger ones send the whole state at most this often (ms); in between, only what changed. */
const SNAPSHOT_INTERVAL = 100;

interface Entry {
  value: number | Float;
  max: number | Float;
  /** The JSON text around `value`, `max` and `state`, which are all that changes. */
  readonly before: string;
  readonly after: string;
}

const ZERO = new Float(0);
const ONE = new Float(1);

const numberText = (value: number | Float): string =>
  value === ZERO ? '0.0' : value === ONE ? '1.0' : stringifyJson(value);

/**
 * The registry of one run. Whole snapshots at every step would cost the square of the number of
 * nodes; with many nodes a start or a step sends the changed nodes, a finish waits for the next
 * message, and `flush` sends the whole state once more.
 */
export function createProgress({ promptId, prompt, send, now }: ProgressOptions): Progress {
  const entries = new Map<string, Entry>();
  const printed = new Map<string, string>();
  const changed = new Set<string>();
  const head = `{"prompt_id": ${stringifyJson(promptId)}, "nodes": {`;
  let lastSnapshot = -Infinity;
  let complete = true;

  const entryOf = (id: string): Entry => {
    const known = entries.get(id);
    if (known !== undefined) return known;
    const after = stringifyJson({
      node_id: id,
      prompt_id: promptId,
      display_node_id: prompt.getDisplayNodeId(id),
      parent_node_id: prompt.getParentNodeId(id),
      real_node_id: prompt.getRealNodeId(id),
    });
    const before = `${stringifyJson(id)}: {"value": `;
    const entry: Entry = { value: 0, max: 1, before, after: `, ${after.slice(1)}` };
    entries.set(id, entry);
    return entry;
  };

  const record = (id: string, entry: Entry, state: 'running' | 'finished'): void => {
    const { value, max, before, after } = entry;
    const counts = `${numberText(value)}, "max": ${numberText(max)}`;
    printed.set(id, `${before}${counts}, "state": "${state}"${after}`);
    changed.add(id);
  };

  const sendNodes = (nodes: Iterable<string>): void => {
    const list = [...nodes].join(', ');
    send(`${head}${list}}}`);
    changed.clear();
  };

  const sendAll = (): void => {
    sendNodes(printed.values());
    lastSnapshot = now();
    complete = true;
  };

  const publish = (event: 'step' | 'finish'): void => {
    if (printed.size <= SMALL_RUN || now() - lastSnapshot >= SNAPSHOT_INTERVAL) {
      sendAll();
      return;
    }
    complete = false;
    if (event === 'step') sendNodes([...changed].map((id) => printed.get(id) ?? ''));
  };

  return {
    start(id) {
      const entry = entryOf(id);
      entry.value = ZERO;
      entry.max = ONE;
      record(id, entry, 'running');
      publish('step');
    },
    update(id, value, max) {
      const entry = entryOf(id);
      entry.value = value;
      entry.max = max;
      record(id, entry, 'running');
      publish('step');
    },
    finish(id) {
      const entry = entryOf(id);
      entry.value = entry.max;
      record(id, entry, 'finished');
      publish('finish');
    },
    flush() {
      if (!complete) sendAll();
    },
  };
}
