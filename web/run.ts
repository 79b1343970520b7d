import { batch } from '@preact/signals';
import type { BinaryFrame, ServerMessage } from '../engine/protocol.ts';
import { stringifyJson } from '../engine/workflow/lossless-json.ts';
import { workflowToPrompt } from '../engine/workflow/to-prompt.ts';
import type { Server } from './api/server.ts';
import type { ObjectInfo, PromptAnswer } from './api/types.ts';
import type { WorkflowDocument } from './documents/document.ts';
import type { Editor } from './editor.ts';
import type { PackScripts } from './extensions/pack-scripts.ts';
import { pathOf } from './graph/input-files.ts';
import { allGraphs } from './graph/load.ts';
import { NoodleNode } from './graph/node.ts';
import { applySeedControls } from './graph/widgets/seed-control.ts';
import { t } from './locale/translate.ts';
import { queueMode } from './queue/queue-mode.ts';
import { problemOf, wordsOf } from './queue/refusal.ts';
import { createJobsApi } from './queue/jobs-api.ts';
import { createRunView } from './run-view.ts';
import { toast, type Problem, type State } from './state.ts';
import { messageOf } from './text.ts';

/** What is queued, and where. */
export interface QueueRequest {
  /** In front of the others. */
  readonly front?: boolean;
  /** Only these output nodes, by execution id. */
  readonly targets?: readonly string[];
}

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

  const convert = (workflow: unknown) =>
    workflowToPrompt(workflow, objectInfo as unknown as Parameters<typeof workflowToPrompt>[1]);

  const queueOne = async ({ front = false, targets }: QueueRequest): Promise<boolean> => {
    // Before posting: events of a quick run may arrive ahead of the answer.
    execution.clearErrors();
    state.problems.value = [];
    const document = documents.active();
    const drawn = editor.toWorkflow();
    const { prompt: made, warnings } = convert(drawn);
    const { workflow, prompt } = await packs.finish({ workflow: drawn, prompt: { ...made } });
    const answer = await server.postPrompt({
      client_id: clientId,
      prompt,
      ...(front ? { front: true } : {}),
      ...(targets === undefined ? {} : { partial_execution_targets: targets }),
      extra_data: { extra_pnginfo: { workflow }, workflow_name: document.name.value },
    });
    if (answer.promptId !== undefined) mine.set(answer.promptId, document);
    report(editor, state, answer, warnings.map(String));
    if (!answer.ok) return false;
    if (applySeedControls(allGraphs(editor.graph).flatMap((g) => g.nodes))) documents.changed();
    return true;
  };

  const jobs = createJobsApi(server);
  const refreshLists = async (): Promise<void> => {
    try {
      const [queue, finished] = await Promise.all([jobs.queue(), jobs.finished()]);
      batch(() => {
        state.queue.value = queue;
        state.history.value = finished;
      });
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
    /** Queues the graph `batchCount` times; false when it was not taken. */
    async queue(request: QueueRequest = {}): Promise<boolean> {
      documents.settle();
      for (let i = 0; i < Math.max(1, state.batchCount.value); i++) {
        try {
          if (!(await queueOne(request))) return false;
        } catch (error) {
          // What `fetch` throws says nothing to people.
          const isAway = error instanceof TypeError && state.connection.value !== 'open';
          const text = isAway
            ? t('The server does not answer: nothing was queued')
            : messageOf(error);
          toast(state, text, 'error');
          return false;
        }
      }
      return true;
    },
    /** Queues the graph for the selected output nodes alone. */
    async queueSelected(): Promise<void> {
      const targets = Object.values(editor.canvas.selected_nodes)
        .filter((node) => node instanceof NoodleNode && node.info?.output_node === true)
        .map((node) => pathOf(editor.graph, node));
      if (targets.length > 0) await this.queue({ targets });
      else toast(state, t('Select nodes that save or show something first'));
    },
    /** The prompt that queueing would send now, as text; '' while there is none. */
    promptText: (): string => {
      try {
        return stringifyJson(convert(editor.toWorkflow()).prompt, { style: 'compact' });
      } catch {
        return '';
      }
    },
    /** Stops what runs; in the instant mode nothing follows it. */
    cancel(): void {
      if (queueMode.value === 'instant') queueMode.value = 'once';
      void server.interrupt().catch(() => undefined); // The connection mark tells why.
    },
    /** The server is away: nothing is known of what runs. */
    lost: (): void => view.idle(),
    async clearQueue(): Promise<void> {
      await server.clearQueue();
      await refreshLists();
    },
    /** The socket came back: catch up on what was missed. */
    async caughtUp(): Promise<void> {
      await refreshLists();
      for (const { id: promptId } of [...state.history.value].reverse()) {
        if (mine.get(promptId) !== documents.active()) continue;
        const entry = await server.historyOf(promptId);
        if (entry === null) continue;
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
        title: node?.title ?? class_type ?? t('Node {id}', { id }),
        ...wordsOf(error, class_type),
      });
    }
  }
  if (answer.error !== undefined && problems.length === 0) problems.push(problemOf(answer.error));
  if (problems.length > 0) state.problems.value = problems;
  if (answer.ok && problems.length === 0 && warnings.length > 0) toast(state, warnings[0]);
}
