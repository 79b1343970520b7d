/** Calling a node: once per slice, blocked slices left out, async nodes beside others. */
import { performance } from 'node:perf_hooks';
import { stringifyJson } from '../workflow/lossless-json.ts';
import { checkNeeds } from './check-needs.ts';
import { createContext, throwIfInterrupted } from './context.ts';
import { ExecutionBlocker } from './definition.ts';
import type { NodeDefinition } from './definition.ts';
import { nestInputs } from './dynamic-inputs.ts';
import type { Slices } from './gather-inputs.ts';
import { callsOf } from './map-slices.ts';
import { PythonError } from '../python/error.ts';
import type { Run } from './run.ts';

/** A call that did not finish at once. */
interface Task {
  state: 'pending' | 'done' | 'failed';
  value: unknown;
  readonly settled: Promise<void>;
}

/** What the calls of a node came to so far, in call order. */
export type PendingCalls = readonly (Task | { readonly value: unknown })[];

/** The values of all calls, or the calls to wait for. */
export type Called = { readonly values: unknown[] } | { readonly pending: PendingCalls };

/** Milliseconds on the thread below which nobody misses a message. */
const QUICK = 1;
/** Nodes whose last call gave the thread back at once. */
const wasQuick = new WeakSet<NodeDefinition>();

/** Makes all calls of a node; throws what they throw, and INTERRUPTED before any of them. */
export async function callNode(
  run: Run,
  nodeId: string,
  definition: NodeDefinition,
  slices: Slices,
): Promise<Called> {
  const results: (Task | { readonly value: unknown })[] = [];
  for (const { inputs, index, blocker } of callsOf(definition, slices)) {
    throwIfInterrupted(run);
    if (blocker !== undefined) {
      results.push({ value: announceBlocker(run, nodeId, definition, blocker) });
      continue;
    }
    requireArguments(run, nodeId, definition, inputs);
    const context = createContext(run, nodeId, index);
    const checked = checkNeeds(definition, inputs);
    const nested = nestInputs(definition, checked);
    if (!wasQuick.has(definition)) run.host.flush?.();
    const begin = performance.now();
    const returned = definition.run(nested, context);
    if (performance.now() - begin < QUICK) wasQuick.add(definition);
    else wasQuick.delete(definition);
    if (!isPromise(returned)) results.push({ value: returned });
    else if (definition.parallel === true) results.push(await startTask(returned));
    else results.push({ value: await returned });
  }
  return results.some(isPending) ? { pending: results } : { values: valuesOf(results) };
}

/** The values of calls that have all settled; throws the first failure. */
export function valuesOf(results: PendingCalls): unknown[] {
  return results.map((result) => {
    if ('state' in result && result.state === 'failed') throw result.value;
    return result.value;
  });
}

/** Resolves when no call is pending any more. */
export const whenSettled = (results: PendingCalls): Promise<unknown> =>
  Promise.all(results.flatMap((result) => ('settled' in result ? [result.settled] : [])));

/** The lazy inputs the node wants now: the union over its slices of what checkLazy answers. */
export async function lazyRequests(
  run: Run,
  nodeId: string,
  definition: NodeDefinition,
  slices: Slices,
): Promise<Set<string>> {
  const names = new Set<string>();
  if (definition.checkLazy === undefined) return names;
  for (const { inputs, index, blocker } of callsOf(definition, slices)) {
    throwIfInterrupted(run);
    if (blocker !== undefined) continue;
    const context = createContext(run, nodeId, index);
    const answer: unknown = await definition.checkLazy(nestInputs(definition, inputs), context);
    if (!Array.isArray(answer)) continue;
    for (const name of answer) if (typeof name === 'string') names.add(name);
  }
  return names;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';

const isPending = (result: PendingCalls[number]): boolean =>
  'state' in result && result.state === 'pending';

/** Gives a started call one turn of the event loop to finish; a failure by then is thrown. */
async function startTask(promise: PromiseLike<unknown>): Promise<Task> {
  const task: Task = {
    state: 'pending',
    value: undefined,
    settled: Promise.resolve(promise).then(
      (value) => void Object.assign(task, { state: 'done', value }),
      (error: unknown) => void Object.assign(task, { state: 'failed', value: error }),
    ),
  };
  await new Promise((resolve) => setImmediate(resolve));
  if (task.state === 'failed') throw task.value;
  return task;
}

/** Nodes from expansions are not validated: what they lack shows when they are called. */
function requireArguments(
  run: Run,
  nodeId: string,
  definition: NodeDefinition,
  inputs: Readonly<Record<string, unknown>>,
): void {
  const anyGiven = Object.keys(inputs).length > 0;
  if (anyGiven && run.prompt.isOriginal(nodeId)) return;
  const missing = Object.entries(definition.inputs)
    .filter(([name, spec]) => !spec.optional && spec.dynamic === undefined && !(name in inputs))
    .map(([name]) => `'${name}'`);
  if (missing.length === 0) return;
  const plural = missing.length === 1 ? '' : 's';
  throw new PythonError(
    'TypeError',
    `${definition.name}() missing ${missing.length} required positional argument${plural}: ` +
      missing.join(', '),
  );
}

/** Tells the user why a node is blocked, once; what depends on it is blocked silently. */
function announceBlocker(
  run: Run,
  nodeId: string,
  definition: NodeDefinition,
  blocker: ExecutionBlocker,
): ExecutionBlocker {
  if (blocker.message === null) return blocker;
  const data = {
    prompt_id: run.job.promptId,
    node_id: nodeId,
    node_type: definition.name,
    executed: run.executed,
    exception_message: `Execution Blocked: ${blocker.message}`,
    exception_type: 'ExecutionBlocked',
    traceback: [],
    current_inputs: [],
    current_outputs: [],
  };
  run.host.emit({
    type: 'event',
    event: 'execution_error',
    data: stringifyJson(data),
    to: 'client-or-all',
  });
  return new ExecutionBlocker(null);
}
