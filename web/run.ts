import { workflowToPrompt } from '../engine/workflow/to-prompt.ts';
import type { BinaryFrame, ServerMessage } from '../engine/protocol.ts';
import type { Server } from './api/server.ts';
import type { NodeOutput, ObjectInfo, PromptAnswer } from './api/types.ts';
import { messageOf, type Editor } from './editor.ts';
import { allGraphs } from './graph/load.ts';
import { applySeedControls } from './graph/widgets/seed-control.ts';
import { toast, type Problem, type State } from './state.ts';

export type Runner = ReturnType<typeof createRunner>;

interface RunnerParts {
  readonly editor: Editor;
  readonly server: Server;
  readonly state: State;
  readonly objectInfo: ObjectInfo;
  readonly clientId: string;
}

/** Queues prompts and shows on the page what the server reports about them. */
export function createRunner({ editor, server, state, objectInfo, clientId }: RunnerParts) {
  const { execution } = editor;
  /** Prompts queued from here -> the graph they came from. */
  const mine = new Map<string, string>();
  let current: string | null = null;
  let runningNode: string | null = null;

  const isHere = (promptId: string | undefined): boolean => {
    const owner = promptId === undefined ? undefined : mine.get(promptId);
    return owner === undefined || owner === editor.graph.id;
  };

  const queueOne = async (front: boolean): Promise<boolean> => {
    // Before posting: events of a quick run may arrive ahead of the answer.
    execution.clearErrors();
    state.problems.value = [];
    const workflow = editor.toWorkflow();
    const { prompt, warnings } = workflowToPrompt(
      workflow,
      objectInfo as unknown as Parameters<typeof workflowToPrompt>[1],
    );
    const answer = await server.postPrompt({
      client_id: clientId,
      prompt,
      ...(front ? { front: true } : {}),
      extra_data: { extra_pnginfo: { workflow } },
    });
    if (answer.promptId !== undefined) mine.set(answer.promptId, editor.graph.id);
    report(answer, warnings.map(String));
    if (!answer.ok) return false;
    if (applySeedControls(allGraphs(editor.graph).flatMap((g) => g.nodes))) editor.changed();
    return true;
  };

  const report = (answer: PromptAnswer, warnings: readonly string[]): void => {
    const problems: Problem[] = [];
    for (const [id, { errors, class_type }] of Object.entries(answer.nodeErrors)) {
      const node = execution.find(id);
      const names = errors.map((e) => e.extra_info?.input_name ?? e.details.split(/[,: ]/)[0]);
      execution.inputErrors(id, names);
      for (const error of errors) {
        problems.push({
          nodeId: id,
          title: node?.title ?? class_type ?? `Node ${id}`,
          message: error.message,
          details: error.details,
        });
      }
    }
    if (answer.error !== undefined && problems.length === 0) {
      const { message, details } = answer.error;
      problems.push({ nodeId: null, title: 'The prompt was not accepted', message, details });
    }
    if (problems.length > 0) state.problems.value = problems;
    if (answer.ok && problems.length === 0 && warnings.length > 0) toast(state, warnings[0]);
  };

  const refreshLists = async (): Promise<void> => {
    try {
      state.queue.value = await server.queue();
      state.history.value = await server.history(60);
    } catch {
      // The connection mark already says that the server is away.
    }
  };
  let refreshing: ReturnType<typeof setTimeout> | undefined;
  const refreshSoon = (): void => {
    clearTimeout(refreshing);
    refreshing = setTimeout(() => void refreshLists(), 150);
  };

  const showRunning = (id: string | null, part: number | null): void => {
    runningNode = id;
    const node = id === null ? undefined : execution.find(id);
    state.running.value = id === null ? null : { title: node?.title ?? `Node ${id}`, part };
  };

  const handlers: { [T in ServerMessage['type']]?: (data: never) => void } = {
    status: (data: { status: { exec_info: { queue_remaining: number } } }) => {
      state.queueRemaining.value = data.status.exec_info.queue_remaining;
      if (state.queueRemaining.value === 0) showRunning(null, null);
      refreshSoon();
    },
    execution_start: (data: { prompt_id: string }) => {
      current = data.prompt_id;
      if (isHere(current)) execution.start();
      state.running.value = { title: 'Starting', part: null };
    },
    executing: (data: { node: string | null; display_node?: string; prompt_id?: string }) => {
      const id = data.display_node ?? data.node;
      if (isHere(data.prompt_id ?? current ?? undefined)) execution.running(id);
      showRunning(id, null);
      if (data.node === null) {
        if (isHere(data.prompt_id)) execution.finished();
        current = null;
        refreshSoon();
      }
    },
    progress: (data: { value: number; max: number; node: string; prompt_id: string }) => {
      const part = data.max > 0 ? data.value / data.max : null;
      if (isHere(data.prompt_id)) execution.progress(runningNode ?? data.node, part);
      showRunning(runningNode ?? data.node, part);
    },
    progress_state: (data: {
      prompt_id: string;
      nodes: Record<string, { value: number; max: number; state: string; display_node_id: string }>;
    }) => {
      if (!isHere(data.prompt_id)) return;
      for (const node of Object.values(data.nodes)) {
        const busy = node.state === 'running' && node.max > 1;
        execution.progress(node.display_node_id, busy ? node.value / node.max : null);
      }
    },
    executed: (data: {
      node: string;
      display_node: string;
      output: NodeOutput | null;
      prompt_id: string;
    }) => {
      if (isHere(data.prompt_id)) execution.executed(data.display_node ?? data.node, data.output);
    },
    execution_error: (data: {
      prompt_id: string;
      node_id: string;
      node_type: string;
      exception_message: string;
      exception_type: string;
      traceback: readonly string[];
    }) => {
      showRunning(null, null);
      if (isHere(data.prompt_id)) execution.failed(data.node_id);
      const node = execution.find(data.node_id);
      state.problems.value = [
        {
          nodeId: data.node_id,
          title: node?.title ?? data.node_type,
          message: data.exception_message.trim(),
          details: [data.exception_type, ...data.traceback].join('\n'),
        },
      ];
    },
    execution_interrupted: () => {
      execution.running(null);
      showRunning(null, null);
      toast(state, 'Cancelled');
    },
    execution_success: () => {
      execution.running(null);
    },
  };

  return {
    refreshLists,
    message(message: ServerMessage): void {
      const handle = handlers[message.type] as ((data: unknown) => void) | undefined;
      handle?.(message.data);
    },
    frame(frame: BinaryFrame): void {
      if (frame.type === 'text') return execution.text(frame.nodeId, frame.text);
      const id =
        frame.type === 'previewWithMetadata' ? frame.metadata.display_node_id : runningNode;
      const promptId = frame.type === 'previewWithMetadata' ? frame.metadata.prompt_id : current;
      if (id === null || !isHere(promptId ?? undefined)) return;
      const type =
        frame.type === 'previewWithMetadata' ? frame.metadata.image_type : frame.imageType;
      void execution.preview(id, new Blob([frame.image.slice()], { type }));
    },
    /** Queues the graph `batchCount` times (in front of the others when asked). */
    async queue(front = false): Promise<void> {
      editor.settle();
      for (let i = 0; i < Math.max(1, state.batchCount.value); i++) {
        try {
          if (!(await queueOne(front))) return;
        } catch (error) {
          toast(state, messageOf(error), 'error');
          return;
        }
      }
    },
    cancel: (): void => void server.interrupt(),
    async clearQueue(): Promise<void> {
      await server.clearQueue();
      await refreshLists();
    },
    /** The socket came back: catch up on what was missed. */
    async caughtUp(): Promise<void> {
      await refreshLists();
      for (const [promptId, graphId] of mine) {
        if (graphId !== editor.graph.id) continue;
        const entry = state.history.value.find((h) => h.promptId === promptId);
        if (entry === undefined) continue;
        for (const [id, output] of Object.entries(entry.outputs)) execution.executed(id, output);
      }
      if (state.queue.value.running.length === 0) {
        execution.running(null);
        showRunning(null, null);
      }
    },
  };
}
