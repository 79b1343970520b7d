/** One visit of a node: from the cache, or gather inputs, ask for lazy ones, call, expand, keep. */
import type { NodeUi } from '../protocol.ts';
import { callNode, lazyRequests, valuesOf, whenSettled } from './call-node.ts';
import { mergeCalls, readReturns } from './call-results.ts';
import type { Ui } from './call-results.ts';
import type { NodeDefinition } from './definition.ts';
import { expandNode, resolveExpansion } from './expand.ts';
import { gatherInputs } from './gather-inputs.ts';
import type { Slices } from './gather-inputs.ts';
import { isLink, linkSource } from './link.ts';
import { eventMessage } from './messages.ts';
import { definitionOf, metaOf } from './run.ts';
import type { Run } from './run.ts';
import { countShown } from './shown.ts';
import { wireType } from './wire-type.ts';

/** What stopped a node, with the inputs it had. */
export class NodeFailure extends Error {
  readonly nodeId: string;
  readonly error: unknown;
  readonly slices: Slices;

  constructor(nodeId: string, error: unknown, slices: Slices) {
    super(`node ${nodeId} failed`, { cause: error });
    this.nodeId = nodeId;
    this.error = error;
    this.slices = slices;
  }
}

/**
 * Visits a ready node. 'pending': it waits for lazy inputs, for its expansion or for itself (async)
 * and will be visited again. Throws NodeFailure.
 */
export async function runNode(run: Run, nodeId: string): Promise<'done' | 'pending'> {
  const cached = run.store.get(nodeId);
  const visit: Visit = { slices: {} };
  try {
    if (cached !== undefined) {
      show(run, nodeId, cached.ui);
      run.progress.finish(nodeId);
      return 'done';
    }
    const definition = definitionOf(run.host.nodes, run.prompt, nodeId);
    const outcome = await advance(run, nodeId, definition, visit);
    if (outcome === 'pending') return 'pending';
    run.store.set(nodeId, outcome);
  } catch (error) {
    throw new NodeFailure(nodeId, error, visit.slices);
  }
  run.progress.finish(nodeId);
  run.executed.push(nodeId);
  return 'done';
}

/** Filled in on the way, so that a failure can report it. */
interface Visit {
  slices: Slices;
}

interface Finished {
  readonly outputs: unknown[][];
  readonly ui?: Ui;
}

/** Takes the node one stage further: its expansion, its async calls, or a first call. */
async function advance(
  run: Run,
  nodeId: string,
  definition: NodeDefinition,
  visit: Visit,
): Promise<Finished | 'pending'> {
  const expansion = run.pendingExpansions.get(nodeId);
  if (expansion !== undefined) {
    run.pendingExpansions.delete(nodeId);
    return finished(resolveExpansion(run, definition, expansion.calls), expansion.ui);
  }
  const values = await callValues(run, nodeId, definition, visit);
  if (values === 'pending') return 'pending';

  const returns = readReturns(definition, values);
  if (hasMembers(returns.ui)) show(run, nodeId, returns.ui);
  if (returns.expands) {
    await expandNode(run, nodeId, returns);
    return 'pending';
  }
  const calls = returns.calls.map((call) => call.values);
  return finished(mergeCalls(definition, calls), returns.ui);
}

const finished = (outputs: unknown[][], ui: Ui): Finished =>
  hasMembers(ui) ? { outputs, ui } : { outputs };

const hasMembers = (ui: Ui): boolean => Object.keys(ui).length > 0;

/** What the node's calls returned, once all of them have. */
async function callValues(
  run: Run,
  nodeId: string,
  definition: NodeDefinition,
  visit: Visit,
): Promise<unknown[] | 'pending'> {
  const started = run.pendingCalls.get(nodeId);
  if (started !== undefined) {
    run.pendingCalls.delete(nodeId);
    return valuesOf(started);
  }
  run.progress.start(nodeId);
  const wireNodes = {
    getNode: (id: string) => run.prompt.getNode(id),
    definitionOf: (id: string) => definitionOf(run.host.nodes, run.prompt, id),
  };
  const { slices, missing } = gatherInputs(definition, run.prompt.getNode(nodeId), nodeId, {
    outputsOf: (id) => run.store.get(id)?.outputs,
    typeOf: (link) => wireType(link, wireNodes),
    hidden: { prompt: run.prompt, extraData: run.job.extraData, executionList: run.list },
  });
  visit.slices = slices;
  announce(run, nodeId);

  const requests = await lazyRequests(run, nodeId, definition, slices);
  const needed = [...requests].filter((name) => !(name in slices) || missing.has(name));
  if (requestInputs(run, nodeId, needed)) return 'pending';

  const called = await callNode(run, nodeId, definition, slices);
  if ('values' in called) return called.values;
  run.pendingCalls.set(nodeId, called.pending);
  const unblock = run.list.addExternalBlock(nodeId);
  void whenSettled(called.pending).then(() => {
    unblock();
    run.wake();
  });
  return 'pending';
}

/** Schedules the sources of lazy inputs; false when there is nothing to wait for. */
function requestInputs(run: Run, nodeId: string, names: readonly string[]): boolean {
  let waits = false;
  const { inputs } = run.prompt.getNode(nodeId);
  for (const name of names) {
    const value: unknown = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    // A source that ran but has no such output will never have it.
    if (isLink(value) && run.store.has(linkSource(value))) continue;
    run.list.makeInputStrongLink(nodeId, name);
    waits = true;
  }
  return waits;
}

function announce(run: Run, nodeId: string): void {
  const data = {
    node: nodeId,
    display_node: run.prompt.getDisplayNodeId(nodeId),
    prompt_id: run.job.promptId,
  };
  run.host.emit(eventMessage('executing', data, 'client'));
}

/** Tells the client that a node is done with something to show (cached nodes: whatever they showed). */
function show(run: Run, nodeId: string, ui: Ui | undefined): void {
  if (ui !== undefined) countShown(run.amount, ui);
  const meta = metaOf(run.prompt, nodeId);
  const message = eventMessage(
    'executed',
    {
      node: nodeId,
      display_node: meta.display_node,
      // Whatever a node shows has to be JSON; what is not throws here.
      output: (ui ?? null) as NodeUi | null,
      prompt_id: run.job.promptId,
    },
    'client',
  );
  if (ui !== undefined) {
    run.shown.set(nodeId, meta);
    run.host.onShow?.(ui);
  }
  run.host.emit(message);
}
