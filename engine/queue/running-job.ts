/**
 * What the server knows of a job while an engine runs it: what its nodes showed so far, and enough
 * to write its history when the engine does not come back.
 */
import { type EventMessage, contentOf } from '../worker/link.ts';
import type { EngineJob, FromEngine, JobEnd, NodeMeta } from '../worker/messages.ts';
import {
  type Json,
  entriesOf,
  keysOf,
  objectOf,
  parseJson,
  stringifyJson,
} from '../workflow/lossless-json.ts';
import { errorData } from './results.ts';
import type { JobResult } from './store.ts';

/** Events that history keeps. */
const RECORDED = /^execution_(start|cached|success|error|interrupted)$/;

export interface RunningJob {
  readonly job: EngineJob;
  readonly startedAt: number;
  /** The node that runs now, as clients are shown it. */
  activeNode(): string | undefined;
  observe(message: FromEngine): void;
  /** Nothing was shown to the client and no file was written: running it again does no harm. */
  isRepeatable(): boolean;
  /** The result of a job that came to its end. */
  result(end: JobEnd): JobResult;
  /** The end of a job whose engine died: `[event, JSON text]` to send, and the result to store. */
  failure(reason: string, now: number): { event: readonly [string, string]; result: JobResult };
  /** The same for an engine that was ended because it did not obey an interrupt. */
  interruption(now: number): { event: readonly [string, string]; result: JobResult };
}

/** What is read of one node of `progress_state`. */
type NodeState = {
  state: string;
  display_node_id: string;
  parent_node_id: string | null;
  real_node_id: string;
};

/** Starts watching a job. */
export function watchJob(job: EngineJob, startedAt: number): RunningJob {
  const messages: [string, string][] = [];
  const outputs = new Map<string, Json>();
  const executed: string[] = [];
  let node: { id: string; display: string } | undefined;
  let state = '{"nodes": {}}';
  let repeatable = true;

  const observeEvent = (message: EventMessage): void => {
    const { event, data: text } = message;
    if (RECORDED.test(event)) messages.push([event, text]);
    if (event === 'progress_state') state = text;
    if (event !== 'executing' && event !== 'executed') return;
    const data = contentOf(message) as { node: string; display_node: string; output: Json };
    if (event === 'executing') {
      node = { id: data.node, display: data.display_node };
    } else {
      repeatable = false;
      executed.push(data.node);
      if (data.output !== null) outputs.set(data.node, data.output);
    }
  };

  /** What the last snapshot says of the nodes seen so far. */
  const states = (): Record<string, NodeState> =>
    (parseJson(state) as { nodes: Record<string, NodeState> }).nodes;

  const metaOf = (id: string, known: Record<string, NodeState>): NodeMeta => ({
    node_id: id,
    display_node: known[id]?.display_node_id ?? id,
    parent_node: known[id]?.parent_node_id ?? null,
    real_node_id: known[id]?.real_node_id ?? id,
  });

  /** The node that started last, or one that runs beside it when that one is done. */
  const failedNode = (known: Record<string, NodeState>) => {
    const running = keysOf(known).filter((id) => known[id].state === 'running');
    const id =
      node === undefined || running.includes(node.id) ? node?.id : (running.at(-1) ?? node.id);
    const realId = id === undefined ? null : metaOf(id, known).real_node_id;
    const prompt = parseJson(job.prompt) as Record<string, { class_type: string }>;
    const node_type = realId === null ? null : (prompt[realId]?.class_type ?? null);
    return { node_id: realId, node_type, executed };
  };

  const end = (event: readonly [string, string]) => {
    const known = states();
    const result: JobResult = {
      status: 'error',
      completed: false,
      messages: [...messages, event],
      outputs: stringifyJson(objectOf(outputs)),
      meta: stringifyJson(
        objectOf([...outputs.keys()].map((id) => [id, metaOf(id, known)] as const)),
      ),
    };
    return { event, result };
  };

  return {
    job,
    startedAt,
    activeNode: () => node?.display,
    observe: (message) => {
      if (message.type === 'event') observeEvent(message);
      else if (message.type === 'saving') repeatable = false;
    },
    isRepeatable: () => repeatable,
    result: ({ untold, ...end }) => {
      for (const [id, ui] of entriesOf(parseJson(untold) as Record<string, Json>))
        outputs.set(id, ui);
      return { ...end, outputs: stringifyJson(objectOf(outputs)) };
    },
    failure: (reason, now) =>
      end(['execution_error', errorData(job.id, 'EngineDied', reason, now, failedNode(states()))]),
    interruption: (now) =>
      end([
        'execution_interrupted',
        stringifyJson({ prompt_id: job.id, ...failedNode(states()), timestamp: now }),
      ]),
  };
}
