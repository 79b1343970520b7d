/**
 * Runs one prompt to its end. The stages: read IS_CHANGED and compute cache keys, schedule the
 * outputs, run ready nodes one by one, report. Messages and their order are ComfyUI's.
 */
import { performance } from 'node:perf_hooks';
import { NoodleError } from '../errors.ts';
import type { MessageData } from '../protocol.ts';
import {
  type Json,
  keysOf,
  entriesOf,
  objectOf,
  stringifyJson,
} from '../workflow/lossless-json.ts';
import { whenSettled } from './call-node.ts';
import type { Ui } from './call-results.ts';
import { createDynamicPrompt } from './dynamic-prompt.ts';
import { formatValue, shortened } from './format-value.ts';
import { readIsChanged } from './is-changed.ts';
import { type Audience, type JobEnd, type NodeMeta, eventMessage } from './messages.ts';
import { createProgress } from './progress.ts';
import {
  PythonError,
  isInterrupt,
  isOutOfMemory,
  messageOf,
  pythonTypeOf,
  tracebackOf,
} from '../python/error.ts';
import { NodeFailure, runNode } from './run-node.ts';
import { fits } from './shown.ts';
import { redact } from './redact.ts';
import { createRunStore } from './run-store.ts';
import { definitionOf, dropLost, metaOf } from './run.ts';
import type { Host, Job, Run } from './run.ts';
import { createSignatures } from './signature.ts';
import { createExecutionList } from './toposort.ts';

export type { Host, Job } from './run.ts';

/** Runs a validated prompt; never throws: what goes wrong is part of its end and the messages. */
export async function executePrompt(job: Job, host: Host): Promise<JobEnd> {
  const messages: [string, string][] = [];
  const say: Say = <T extends Said>(
    event: T,
    data: Omit<MessageData[T], 'timestamp'>,
    to: Audience,
  ) => {
    const stamped = { ...data, timestamp: Math.trunc(host.now()) };
    const message = eventMessage(event, stamped as unknown as MessageData[T], to);
    messages.push([event, message.data]);
    host.emit(message);
  };
  const lifetime = createLifetime(host.signal);
  const run = startRun(job, host, lifetime);
  let success = true;
  try {
    say('execution_start', { prompt_id: job.promptId }, 'client');
    const cached = await openCaches(run);
    say('execution_cached', { nodes: cached, prompt_id: job.promptId }, 'client');
    schedule(run);
    await runNodes(run, lifetime);
    run.progress.flush();
    say('execution_success', { prompt_id: job.promptId }, 'client');
  } catch (error) {
    run.progress.flush();
    const failure = failureOf(run, error);
    // As in ComfyUI, a cycle made by an expansion is reported, but the prompt counts as done.
    success = failure.error instanceof PythonError && failure.error.pythonType === CYCLE;
    report(run, failure, say);
  }
  await lifetime.end(run);
  const untold = intermediateOutputs(run);
  const metas = [...run.shown, ...untold.map(([id]) => [id, metaOf(run.prompt, id)] as const)];
  return {
    status: success ? 'success' : 'error',
    completed: success,
    messages,
    untold: stringifyJson(objectOf(untold)),
    meta: stringifyJson(objectOf<NodeMeta>(metas)),
  };
}

/** The messages about the prompt as a whole; each tells when it was said. */
type Said =
  | 'execution_start'
  | 'execution_cached'
  | 'execution_success'
  | 'execution_interrupted'
  | 'execution_error';
type Say = <T extends Said>(
  event: T,
  data: Omit<MessageData[T], 'timestamp'>,
  to: Audience,
) => void;

const CYCLE = 'graph.DependencyCycleError';

function startRun(job: Job, host: Host, lifetime: Lifetime): Run {
  const prompt = createDynamicPrompt(job.prompt);
  const store = createRunStore(host.caches.outputs);
  const define = (id: string) => definitionOf(host.nodes, prompt, id);
  const run: Run = {
    job,
    host,
    prompt,
    store,
    signatures: createSignatures({
      prompt,
      definitionOf: define,
      isChanged: (id) => readIsChanged(run, id),
    }),
    list: createExecutionList({
      prompt,
      definitionOf: define,
      isCached: (id) => store.has(id),
      onUse: (id) => store.use(id),
      onRelease: (id) => store.release(id),
    }),
    progress: createProgress({
      promptId: job.promptId,
      prompt,
      now: host.now,
      send: (data) =>
        host.emit({ type: 'event', event: 'progress_state', data, to: 'client-or-all' }),
    }),
    signal: lifetime.signal,
    executed: [],
    shown: new Map(),
    amount: { characters: 0 },
    pendingCalls: new Map(),
    pendingExpansions: new Map(),
    wake: lifetime.wake,
    isOver: lifetime.isOver,
  };
  return run;
}

/** Computes the cache keys of all nodes, lets the caches trim, and answers which nodes are cached. */
async function openCaches(run: Run): Promise<string[]> {
  const { job, host, prompt, signatures } = run;
  const nodeIds = keysOf(job.prompt);
  host.caches.states.begin(job.prompt);
  await signatures.add(nodeIds);
  host.caches.outputs.begin({
    nodeIds,
    keyOf: (id) => signatures.keyOf(id),
    classOf: (id) => prompt.getNode(id).class_type,
  });
  dropLost(run, nodeIds);
  return nodeIds.filter((id) => host.caches.outputs.get(id) !== undefined);
}

function schedule(run: Run): void {
  for (const output of run.job.outputs) {
    try {
      run.list.addNode(output);
    } catch (error) {
      throw new NodeFailure(output, error, {});
    }
  }
}

/** The loop: the next ready node, until none is left. */
async function runNodes(run: Run, lifetime: Lifetime): Promise<void> {
  const letOthersRun = yieldRegularly();
  while (run.list.size > 0) {
    const nodeId = run.list.pick();
    if (nodeId !== undefined) {
      if ((await runNode(run, nodeId)) === 'done') run.list.complete(nodeId);
      await letOthersRun();
    } else if (run.list.externalBlocks > 0) {
      await lifetime.nextEvent();
      const [waiting] = run.pendingCalls.keys();
      if (run.host.signal.aborted) {
        throw new NodeFailure(waiting ?? run.job.outputs[0], new NoodleError('INTERRUPTED'), {});
      }
    } else {
      throw cycleFailure(run);
    }
  }
}

/** Lets messages in and out between nodes, at most every 10 ms. */
function yieldRegularly(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < 10) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        last = performance.now();
        resolve();
      });
    });
  };
}

/** Validation finds cycles of the original nodes, so the first node that is shown as another is to blame. */
function cycleFailure(run: Run): NodeFailure {
  const cycle = run.list.nodesInCycle();
  const made = cycle.find((id) => run.prompt.getDisplayNodeId(id) !== id);
  const blamed = made === undefined ? cycle[0] : run.prompt.getDisplayNodeId(made);
  return new NodeFailure(blamed, new PythonError(CYCLE, 'Dependency cycle detected'), {});
}

/** Anything that is not the fault of one node is put down to the first output. */
const failureOf = (run: Run, error: unknown): NodeFailure =>
  error instanceof NodeFailure ? error : new NodeFailure(run.job.outputs[0], error, {});

function report(run: Run, { nodeId, error, slices }: NodeFailure, say: Say): void {
  const realId = run.prompt.getRealNodeId(nodeId);
  const message = shortened(messageOf(error));
  const common = {
    prompt_id: run.job.promptId,
    node_id: realId,
    node_type: run.prompt.hasNode(realId) ? run.prompt.getNode(realId).class_type : null,
    executed: run.executed,
  };
  if (isInterrupt(error, run.host.signal)) {
    say('execution_interrupted', common, 'client-or-all');
    return;
  }
  const isCycle = error instanceof PythonError && error.pythonType === CYCLE;
  const outOfMemory = isOutOfMemory(error);
  if (outOfMemory) run.host.onOutOfMemory?.();
  const inputs = entriesOf(slices).map(([name, list]) => [name, list.map(formatValue)] as const);
  const data = {
    ...common,
    exception_message: isCycle ? message : `${message}\n${outOfMemory ? MEMORY_TIPS : ''}`,
    exception_type: pythonTypeOf(error),
    traceback: isCycle ? [] : tracebackOf(error),
    current_inputs: isCycle ? ([] as const) : (objectOf(inputs) as { [name: string]: Json }),
    current_outputs: keysOf(run.job.prompt),
  };
  say('execution_error', redact(data, run.job.extraData), 'client');
}

const MEMORY_TIPS =
  'This error means you ran out of memory on your GPU.\n\nTIPS: If the workflow worked before ' +
  'you might have accidentally set the batch_size to a large number.';

/** Cached nodes that have something to show without being outputs are part of the history too. */
function intermediateOutputs(run: Run): (readonly [nodeId: string, ui: Ui])[] {
  return keysOf(run.job.prompt).flatMap((id) => {
    const definition = run.host.nodes.get(run.job.prompt[id].class_type);
    if (definition?.hasIntermediateOutput !== true || run.shown.has(id)) return [];
    const ui = run.host.caches.outputs.get(id)?.ui;
    if (ui === undefined || !fits(run.amount, ui)) return [];
    run.host.onShow?.(ui);
    return [[id, ui] as const];
  });
}

/** How long pending async nodes may take to notice that their prompt is over. */
const GRACE_MS = 1000;

interface Lifetime {
  /** For nodes: aborted on interrupt, and at the end when async nodes are still running. */
  readonly signal: AbortSignal;
  readonly wake: () => void;
  readonly isOver: () => boolean;
  /** Resolves when an async node is done or the prompt is interrupted. */
  nextEvent(): Promise<void>;
  end(run: Run): Promise<void>;
}

function createLifetime(interrupt: AbortSignal): Lifetime {
  const controller = new AbortController();
  let over = false;
  let woken = false;
  let resume: (() => void) | undefined;
  const wake = (): void => {
    woken = true;
    resume?.();
  };
  const onInterrupt = (): void => {
    controller.abort(interrupt.reason);
    wake();
  };
  if (interrupt.aborted) onInterrupt();
  else interrupt.addEventListener('abort', onInterrupt, { once: true });

  return {
    signal: controller.signal,
    wake,
    isOver: () => over,
    async nextEvent() {
      if (!woken) await new Promise<void>((resolve) => (resume = resolve));
      woken = false;
      resume = undefined;
    },
    async end(run) {
      over = true;
      interrupt.removeEventListener('abort', onInterrupt);
      if (run.pendingCalls.size === 0) return;
      controller.abort(new NoodleError('INTERRUPTED'));
      const settled = Promise.all([...run.pendingCalls.values()].map(whenSettled));
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise((resolve) => (timer = setTimeout(resolve, GRACE_MS)));
      await Promise.race([settled, grace]);
      clearTimeout(timer);
    },
  };
}
