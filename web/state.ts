import { signal } from '@preact/signals';
import type { ConnectionState } from './api/socket.ts';
import type { HistoryEntry, QueueItem } from './api/types.ts';

/** One line of the problem panel; `nodeId` lets it point at the node. */
export interface Problem {
  readonly nodeId: string | null;
  readonly title: string;
  readonly message: string;
  /** Exception type, input details, traceback: shown on demand. */
  readonly details: string;
}

export interface Toast {
  readonly id: number;
  readonly kind: 'info' | 'error';
  readonly text: string;
}

export interface LightboxImage {
  readonly url: string;
  readonly label: string;
}

/** A request to search for a node; `from` narrows it to nodes that fit a dragged link. */
export interface SearchRequest {
  readonly x: number;
  readonly y: number;
  readonly accepts?: { readonly type: string; readonly side: 'input' | 'output' };
  readonly pick: (type: string) => void;
}

/** What the panels show; the editor and the socket write it. */
export function createState() {
  return {
    connection: signal<ConnectionState>('connecting'),
    queueRemaining: signal(0),
    running: signal<{ title: string; part: number | null } | null>(null),
    workflowName: signal('Untitled'),
    modified: signal(false),
    insideSubgraph: signal<readonly string[]>([]),
    problems: signal<readonly Problem[]>([]),
    missing: signal<readonly string[]>([]),
    queue: signal<{ running: readonly QueueItem[]; pending: readonly QueueItem[] }>({
      running: [],
      pending: [],
    }),
    history: signal<readonly HistoryEntry[]>([]),
    sidePanel: signal<'queue' | 'workflows' | 'nodes' | null>(null),
    lightbox: signal<{ images: readonly LightboxImage[]; index: number } | null>(null),
    search: signal<SearchRequest | null>(null),
    help: signal(false),
    batchCount: signal(1),
    toasts: signal<readonly Toast[]>([]),
    examples: signal<readonly string[]>([]),
    saved: signal<readonly string[]>([]),
    zoom: signal(1),
  };
}

export type State = ReturnType<typeof createState>;

let nextToast = 1;

/** Shows a short message that goes away by itself. */
export function toast(state: State, text: string, kind: Toast['kind'] = 'info'): void {
  const id = nextToast++;
  state.toasts.value = [...state.toasts.value.slice(-3), { id, kind, text }];
  setTimeout(
    () => {
      state.toasts.value = state.toasts.value.filter((t) => t.id !== id);
    },
    kind === 'error' ? 8000 : 3500,
  );
}
