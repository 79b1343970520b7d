import type { BinaryFrame, ServerMessage } from '../engine/protocol.ts';
import { workflowToPrompt } from '../engine/workflow/to-prompt.ts';
import type { Server } from './api/server.ts';
import type { ObjectInfo, PromptAnswer } from './api/types.ts';
import type { WorkflowDocument } from './documents/document.ts';
import type { Editor } from './editor.ts';
import type { PackScripts } from './extensions/pack-scripts.ts';
import { allGraphs } from './graph/load.ts';
import { applySeedControls } from './graph/widgets/seed-control.ts';
import { createRunView } from './run-view.ts';
import { toast, type Problem, type State } from './state.ts';
import { messageOf } from './text.ts';

export type Runner = ReturnType<typeof createRunner>;

interface RunnerParts {
  readonly editor: Editor;
  readonly server: Server;
  readonly state: State;
  readonly objectInfo: ObjectInfo;
  readonly clientId: string;
  readonly packs: PackScripts;
}

/** Queues prompts and shows on the page what the server reports about them. */
export function createRunner({ editor, server, state, objectInfo, clientId, packs }: RunnerParts) {
  const { execution, documents } = editor;
  /** Prompts queued from here -> the document they came from. */
  const mine = new Map<string, WorkflowDocument>();

  const queueOne = async (front: boolean): Promise<boolean> => {
    // Before posting: events of a quick run may arrive ahead of the answer.
    execution.clearErrors();
    state.problems.value = [];
    const document = documents.active();
    const drawn = editor.toWorkflow();
    const { prompt: made, warnings } = workflowToPrompt(
      drawn,
      objectInfo as unknown as Parameters<typeof workflowToPrompt>[1],
    );
    const { workflow, prompt } = await packs.finish({ workflow: drawn, prompt: { ...made } });
    const answer = await server.postPrompt({
      client_id: clientId,
      prompt,
      ...(front ? { front: true } : {}),
      extra_data: { extra_pnginfo: { workflow } },
    });
    if (answer.promptId !== undefined) mine.set(answer.promptId, document);
    report(editor, state, answer, warnings.map(String));
    if (!answer.ok) return false;
    if (applySeedControls(allGraphs(editor.graph).flatMap((g) => g.nodes))) documents.changed();
    return true;
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
  const view = createRunView({
    execution,
    state,
    ownerOf: (promptId) => (promptId === undefined ? undefined : mine.get(promptId)),
    refreshSoon,
  });

  return {
    refreshLists,
    message: (message: ServerMessage): void => view.message(message),
    frame: (frame: BinaryFrame): void => view.frame(frame),
    /** Queues the graph `batchCount` times (in front of the others when asked). */
    async queue(front = false): Promise<void> {
      documents.settle();
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
      for (const [promptId, document] of mine) {
        if (document !== documents.active()) continue;
        const entry = state.history.value.find((h) => h.promptId === promptId);
        if (entry === undefined) continue;
        for (const [id, output] of Object.entries(entry.outputs)) execution.executed(id, output);
      }
      if (state.queue.value.running.length === 0) view.idle();
    },
  };
}

/** Shows what the server said to a prompt: refused inputs on their nodes, the rest in words. */
function report(
  { execution }: Editor,
  state: State,
  answer: PromptAnswer,
  warnings: readonly string[],
): void {
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
}
