/** What a node is handed besides its inputs. */
import { NoodleError } from '../errors.ts';
import { stringifyJson } from '../workflow/lossless-json.ts';
import type { NodeContext } from './definition.ts';
import { createGraphBuilder } from './graph-builder.ts';
import { eventMessage } from './messages.ts';
import { metaOf } from './run.ts';
import type { Run } from './run.ts';

/** The context of one call of a node. */
export function createContext(run: Run, nodeId: string, callIndex: number): NodeContext {
  const { prompt, host, job } = run;
  let graphs = 0;

  const checkAlive = (): void => {
    if (run.isOver()) throw new NoodleError('INTERRUPTED');
    throwIfInterrupted(run);
  };

  return {
    nodeId,
    promptId: job.promptId,
    signal: run.signal,
    services: host.services,
    callIndex,
    get state() {
      const { class_type: classType } = prompt.getNode(nodeId);
      return host.caches.states.of(nodeId, classType, prompt.getRealNodeId(nodeId));
    },
    newGraph: (prefix = `${nodeId}.${callIndex}.${graphs++}.`) => createGraphBuilder(prefix),
    progress(value, max, preview) {
      checkAlive();
      const done = Math.min(value, max);
      run.progress.update(nodeId, done, max);
      if (preview !== undefined) {
        host.emit({
          type: 'preview',
          node: metaOf(prompt, nodeId),
          image: preview,
          flaggedOnly: false,
          legacyAfterProgress: true,
        });
      }
      const data = { value: done, max, prompt_id: job.promptId, node: nodeId };
      host.emit(eventMessage('progress', data, 'client-or-all'));
    },
    setProgress(value, max, { nodeId: target = nodeId, preview } = {}) {
      checkAlive();
      run.progress.update(target, value, max);
      if (preview !== undefined) {
        host.emit({
          type: 'preview',
          node: metaOf(prompt, target),
          image: preview,
          flaggedOnly: true,
          legacyAfterProgress: false,
        });
      }
    },
    sendText(text) {
      if (!run.isOver()) host.emit({ type: 'text', nodeId, text });
    },
    send(type, data) {
      if (run.isOver()) return;
      host.emit({ type: 'event', event: type, data: stringifyJson(data), to: 'client-or-all' });
    },
  };
}

/** Throws INTERRUPTED once the prompt is to stop. */
export function throwIfInterrupted(run: Pick<Run, 'host'>): void {
  if (run.host.signal.aborted) throw new NoodleError('INTERRUPTED');
}
