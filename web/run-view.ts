import type {
  BinaryFrame,
  ExecutionErrorData,
  MessageData,
  MessageType,
  ServerMessage,
} from '../engine/protocol.ts';
import type { WorkflowDocument } from './documents/document.ts';
import type { ExecutionView } from './graph/execution-view.ts';
import { t } from './locale/translate.ts';
import { jobEnded, jobShowed, jobStarted, jobStepped } from './queue/live-job.ts';
import { toast, type State } from './state.ts';

interface RunViewParts {
  readonly execution: ExecutionView;
  readonly state: State;
  /** The document a prompt was queued from; undefined when it was not queued here. */
  readonly ownerOf: (promptId: string | undefined) => WorkflowDocument | undefined;
  /** The lists of jobs changed on the server. */
  readonly refreshSoon: () => void;
}

type Handlers = { readonly [T in MessageType]?: (data: MessageData[T]) => void };

/** Shows the server's messages about runs: on the nodes of the document they belong to, and above. */
export function createRunView({ execution, state, ownerOf, refreshSoon }: RunViewParts) {
  let current: string | undefined;
  let runningNode: string | null = null;

  /** Runs from elsewhere are shown on whatever is open: ids that it lacks show nothing. */
  const isHere = (promptId: string | undefined): boolean => {
    const owner = ownerOf(promptId);
    return owner === undefined || owner === state.document.value;
  };
  const showRunning = (id: string | null, part: number | null): void => {
    runningNode = id;
    const node = id === null ? undefined : execution.find(id);
    state.running.value = id === null ? null : { title: node?.title ?? `Node ${id}`, part };
  };
  const showFailure = (data: ExecutionErrorData): void => {
    showRunning(null, null);
    if (isHere(data.prompt_id)) execution.failed(data.node_id);
    state.problems.value = [
      {
        nodeId: data.node_id,
        title: execution.find(data.node_id)?.title ?? data.node_type ?? `Node ${data.node_id}`,
        message: data.exception_message.trim(),
        details: [data.exception_type, ...data.traceback].join('\n'),
      },
    ];
  };

  const handlers: Handlers = {
    status({ status }) {
      state.queueRemaining.value = status.exec_info.queue_remaining;
      if (state.queueRemaining.value === 0) showRunning(null, null);
      refreshSoon();
    },
    execution_start({ prompt_id }) {
      current = prompt_id;
      if (isHere(current)) execution.start();
      jobStarted(prompt_id);
      state.running.value = { title: t('Starting'), part: null };
    },
    executing({ node, display_node, prompt_id }) {
      const id = display_node ?? node;
      if (isHere(prompt_id ?? current)) execution.running(id);
      showRunning(id, null);
      if (node !== null) return;
      if (isHere(prompt_id)) execution.finished();
      jobEnded();
      current = undefined;
      refreshSoon();
    },
    progress({ value, max, node, prompt_id }) {
      const part = max > 0 ? value / max : null;
      jobStepped(value, max);
      if (isHere(prompt_id)) execution.progress(runningNode ?? node, part);
      showRunning(runningNode ?? node, part);
    },
    progress_state({ prompt_id, nodes }) {
      if (!isHere(prompt_id)) return;
      for (const { state: phase, value, max, display_node_id } of Object.values(nodes)) {
        const busy = phase === 'running' && max > 1;
        execution.progress(display_node_id, busy ? value / max : null);
      }
    },
    executed({ node, display_node, output, prompt_id }) {
      const id = display_node ?? node;
      if (isHere(prompt_id)) execution.executed(id, output);
      else if (output !== null) ownerOf(prompt_id)?.outputs.set(id, output);
    },
    execution_error: showFailure,
    execution_interrupted() {
      execution.running(null);
      showRunning(null, null);
      toast(state, t('Cancelled'));
    },
    execution_success() {
      execution.running(null);
    },
  };

  return {
    message({ type, data }: ServerMessage): void {
      // The pairing of type and data is the union's; TypeScript cannot follow it through the table.
      (handlers[type] as ((data: unknown) => void) | undefined)?.(data);
    },
    frame(frame: BinaryFrame): void {
      if (frame.type === 'text') return execution.text(frame.nodeId, frame.text);
      const told = frame.type === 'previewWithMetadata' ? frame.metadata : null;
      const id = told?.display_node_id ?? runningNode;
      const type = frame.type === 'preview' ? frame.imageType : frame.metadata.image_type;
      const image = new Blob([frame.image.slice()], { type });
      jobShowed(image);
      if (id !== null && isHere(told?.prompt_id ?? current)) void execution.preview(id, image);
    },
    /** Nothing runs any more. */
    idle(): void {
      current = undefined;
      jobEnded();
      execution.running(null);
      showRunning(null, null);
    },
  };
}
