import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { ConnectionState } from './api/socket.ts';
import type { SavedEntry } from './api/user-workflows.ts';
import type { DeviceInfo } from './api/types.ts';
import { createDocument, untitled, type WorkflowDocument } from './documents/document.ts';
import type { Draft } from './documents/drafts.ts';
import type { SlotFilter } from './graph/search.ts';
import type { Picture } from './pictures/picture.ts';
import { emptyQueue, type JobRow, type QueueView } from './queue/jobs-api.ts';

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
  /** A button beside the text. */
  readonly action: ToastAction | null;
}

export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
}

/** Something to be decided, or a name to be given, before going on. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says that goes on. */
  readonly confirm: string;
  /** What a second button says that goes on in another way. */
  readonly otherwise: string | null;
  /** Going on cannot be undone. */
  readonly danger: boolean;
  /** The text to begin with where one is asked for; null: yes or no. */
  readonly field: string | null;
  /** Gets the text ('' for a yes), what the second button says, or null for no. */
  readonly answer: (text: string | null) => void;
}

/** Something shown over the page until it is closed, with a title and a close button. */
export interface DialogView {
  readonly id: number;
  readonly title: string;
  readonly className: string;
  readonly body: ComponentType;
  /** What happens when its user wants to close it; left out: it closes. */
  readonly close?: () => void;
}

/** Pictures over the whole page; with `compared`, two of them behind a slider. */
export interface Lightbox {
  readonly images: readonly Picture[];
  readonly index: number;
  readonly compared?: number;
}

/** A request to search for a node; `from` narrows it to nodes that fit a dragged link. */
export interface SearchRequest {
  readonly x: number;
  readonly y: number;
  readonly accepts?: SlotFilter;
  readonly pick: (type: string) => void;
}

/** Before the first document is open there is nothing to undo. */
const noUndo = {
  note: () => false,
  undo: () => false,
  redo: () => false,
  rebase: () => undefined,
  clear: () => undefined,
  text: () => '',
};

/** What the panels show; the editor and the socket write it. */
export function createState() {
  return {
    connection: signal<ConnectionState>('connecting'),
    queueRemaining: signal(0),
    running: signal<{ title: string; part: number | null } | null>(null),
    /** The document on the canvas, and all that are open in this window. */
    document: signal<WorkflowDocument>(createDocument(untitled, noUndo)),
    documents: signal<readonly WorkflowDocument[]>([]),
    drafts: signal<readonly Draft[]>([]),
    problems: signal<readonly Problem[]>([]),
    missing: signal<readonly string[]>([]),
    queue: signal<QueueView>(emptyQueue),
    /** The newest jobs that came to their end. */
    history: signal<readonly JobRow[]>([]),
    devices: signal<readonly DeviceInfo[]>([]),
    /** The id of the side panel that is open. */
    sidePanel: signal<string | null>(null),
    lightbox: signal<Lightbox | null>(null),
    search: signal<SearchRequest | null>(null),
    dialogs: signal<readonly DialogView[]>([]),
    menu: signal<MenuView | null>(null),
    question: signal<Question | null>(null),
    batchCount: signal(1),
    toasts: signal<readonly Toast[]>([]),
    examples: signal<readonly string[]>([]),
    saved: signal<readonly SavedEntry[]>([]),
    zoom: signal(1),
  };
}

export type State = ReturnType<typeof createState>;

let nextId = 1;

/**
 * Shows a short message that goes away by itself; one with an action stays longer. The same words
 * twice are one message.
 */
export function toast(
  state: State,
  text: string,
  kind: Toast['kind'] = 'info',
  action: ToastAction | null = null,
): void {
  const id = nextId++;
  const others = state.toasts.value.filter(
    (t) => t.text !== text && (action === null || t.action === null),
  );
  state.toasts.value = [...others.slice(-3), { id, kind, text, action }];
  setTimeout(() => dismiss(state, id), kind === 'error' || action !== null ? 8000 : 3500);
}

/** Takes a message away. */
export function dismiss(state: State, id: number): void {
  state.toasts.value = state.toasts.value.filter((t) => t.id !== id);
}

/** Opens a dialog; returns its id, which closes it. */
export function openDialog(state: State, view: Omit<DialogView, 'id'>): number {
  const id = nextId++;
  state.dialogs.value = [...state.dialogs.value, { id, ...view }];
  return id;
}

export function closeDialog(state: State, id: number): void {
  state.dialogs.value = state.dialogs.value.filter((dialog) => dialog.id !== id);
}

/** Whether something lies over the graph that takes the keys itself. */
export const isCovered = ({ lightbox, search, question, dialogs, menu }: State): boolean =>
  lightbox.value !== null ||
  menu.value !== null ||
  search.value !== null ||
  question.value !== null ||
  dialogs.value.length > 0;

/** Something that can be done with what a menu was opened on. */
export interface MenuItem {
  readonly label: string;
  readonly run: () => void;
  readonly disabled?: boolean;
}

/** A menu at a place of the page. */
export interface MenuView {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  /** null: a line between. */
  readonly items: readonly (MenuItem | null)[];
}

/**
 * Asks in a dialog; resolves to the text given ('' where none was asked for), to `otherwise` when
 * its button was pressed, or to null for no.
 */
export function ask(
  state: State,
  question: Pick<Question, 'title' | 'confirm'> & Partial<Omit<Question, 'answer'>>,
): Promise<string | null> {
  state.question.value?.answer(null);
  return new Promise((resolve) => {
    state.question.value = {
      text: '',
      otherwise: null,
      danger: false,
      field: null,
      ...question,
      answer: (text) => {
        state.question.value = null;
        resolve(text);
      },
    };
  });
}
