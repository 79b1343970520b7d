import { effect } from '@preact/signals';
import { formsOf, isUiFormat } from '../../engine/workflow/forms.ts';
import { type Json, parseJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { GraphSnapshot } from '../graph/snapshot.ts';
import type { Stage } from '../graph/stage.ts';
import { createUndoStack } from '../graph/undo.ts';
import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { createDocument, isUntouched, untitled, type WorkflowDocument } from './document.ts';
import { continueDrafts } from './continue-drafts.ts';
import type { Draft, Drafts } from './drafts.ts';
import { trackEdits } from './edits.ts';
import { createTabs } from './tabs.ts';
import type { ThisWindow } from './window.ts';

export type Documents = ReturnType<typeof createDocuments>;

interface DocumentParts {
  readonly stage: Stage;
  readonly drafts: Drafts;
  readonly self: ThisWindow;
  readonly state: State;
  readonly redraw: () => void;
  /** Nodes were made anew on the stage: shows again what belongs to them. */
  readonly arrived: (document: WorkflowDocument) => void;
}

/**
 * The documents of this window, its tabs: which one is on the stage, and a safety copy of each in
 * the browser.
 */
export function createDocuments({ stage, drafts, self, state, redraw, arrived }: DocumentParts) {
  const active = (): WorkflowDocument => state.document.value;
  const isOpen = (document: WorkflowDocument): boolean => state.documents.value.includes(document);

  const make = (name: string, given: { id?: string; origin?: string | null }) => {
    const document: WorkflowDocument = createDocument(
      name,
      createUndoStack(
        (before?: GraphSnapshot) => stage.snapshot(document.source, before),
        (state, now) => {
          const came = stage.restore(state, now, document.source);
          arrived(document);
          return came;
        },
      ),
      given,
    );
    return document;
  };

  /** Adds a tab: in the place of another one, or as the last. */
  const list = (document: WorkflowDocument, instead?: WorkflowDocument): void => {
    const tabs = [...state.documents.value];
    const place = instead === undefined ? -1 : tabs.indexOf(instead);
    tabs.splice(place < 0 ? tabs.length : place, 0, document);
    state.documents.value = tabs;
  };
  effect(() => {
    const order = state.documents.value.map(({ id }) => id);
    if (order.length > 0) drafts.tabs.write(self.id, { order, active: active().id });
  });

  let full = false;
  const write = (document: WorkflowDocument): boolean => {
    const kept = drafts.write(draftOf(document, self.id));
    if (!kept && !full) {
      const text = t('The browser keeps no more drafts: save your work, or close tabs');
      toast(state, text, 'error');
    }
    full = !kept;
    return kept;
  };
  const keepAs = (workflow: string): void => {
    const document = active();
    if (!isOpen(document)) return;
    document.workflow = workflow;
    document.view = stage.view();
    write(document);
  };
  /** Reads the stage back into the active document and keeps a copy in the browser. */
  const keep = (): void => keepAs(stage.toText(active().source));
  let waiting = false;
  /** The same when the page has time: undo has the text already, writing it can be felt. */
  const keepSoon = (): void => {
    if (waiting) return;
    waiting = true;
    whenIdle(() => {
      waiting = false;
      keepAs(active().undo.text());
    });
  };
  const edits = trackEdits({ active, redraw, keepSoon });

  const forget = (document: WorkflowDocument): void => {
    state.documents.value = state.documents.value.filter((d) => d !== document);
    drafts.remove(document.id);
  };

  /**
   * Loads `data`, the document's graph, onto the stage; puts the former one back if that fails.
   * One that is no tab yet becomes one, in the place of `instead` or as the last.
   */
  const put = (document: WorkflowDocument, data: unknown, instead?: WorkflowDocument): void => {
    const before = active();
    try {
      const { missing } = stage.load(data);
      state.missing.value = missing;
    } catch (error) {
      if (isOpen(before)) {
        stage.load(toPlain(parseJson(before.workflow)));
        if (before.view !== null) stage.setView(before.view);
        arrived(before);
      }
      throw error;
    }
    state.document.value = document;
    state.problems.value = [];
    if (!isOpen(document)) list(document, instead);
    if (document.view === null) stage.lookAtFile(data);
    else stage.setView(document.view);
    document.undo.rebase();
    arrived(document);
    keep();
  };

  /** Brings a tab to the front; throws when its text is no workflow any more. */
  const show = (document: WorkflowDocument): void => {
    edits.settle();
    keep();
    const data = toPlain(parseJson(document.workflow));
    document.source ??= data;
    put(document, data);
  };

  interface Opening {
    readonly origin?: string | null;
    /** A tab of its own, also beside one that nothing was done to. */
    readonly beside?: boolean;
  }
  const open = (
    data: unknown,
    name: string,
    { origin = null, beside = false }: Opening = {},
  ): WorkflowDocument => {
    const { workflow, prompt } = formsOf(data as Json);
    // ComfyUI prefers the drawn workflow; a bare prompt is laid out anew.
    const form: unknown = workflow ?? prompt;
    if (form === undefined) throw new TypeError(t('this JSON is not a workflow'));
    const document = make(name, { origin });
    if (isUiFormat(form)) document.source = form;
    edits.settle();
    keep();
    const before = active();
    const replaced = !beside && isOpen(before) && isUntouched(before) ? before : undefined;
    put(document, form, replaced);
    if (replaced !== undefined) forget(replaced);
    return document;
  };
  const freeName = (wanted: string): string => {
    const names = new Set(state.documents.value.map(({ name }) => name.value));
    let name = wanted;
    for (let n = 2; names.has(name); n++) name = `${wanted} ${n}`;
    return name;
  };
  const blank = (): WorkflowDocument =>
    open({ nodes: [], links: [], version: 0.4 }, freeName(untitled), { beside: true });

  return {
    ...edits,
    ...continueDrafts({ drafts, self, state, make, list, write, put, show }),
    ...createTabs({ state, active, open, show, list, forget, write, blank, edits, keep }),
    keep,
    active,
    show,
    /** A name that no open document has: the one wanted, with a number where it is taken. */
    freeName,
    /**
     * Opens a workflow as a new document, in whatever form it was parsed; throws a TypeError when
     * there is none in the data. Without `origin`, its name among the user's workflows, it was never saved.
     */
    open,
    /** Puts a changed form of the active workflow on the stage, as one step of undo; what is in sight stays. */
    rewrite(change: (workflow: Record<string, unknown>) => Record<string, unknown>): void {
      edits.settle();
      const document = active();
      state.missing.value = stage.rework(change(stage.toWorkflow(document.source))).missing;
      arrived(document);
      edits.settle();
    },
    clear: blank,
    /** The workflow of a document as a text to save; `edition` says which state of it that is. */
    textOf(document: WorkflowDocument): { text: string; edition: number } {
      if (document !== active()) return { text: document.workflow, edition: document.edition };
      edits.settle();
      return { text: stage.toText(document.source), edition: document.edition };
    },
    /** The state `edition` of a document went to `name` among the user's workflows. */
    markSaved(document: WorkflowDocument, name: string, base: string, edition: number): void {
      document.name.value = name;
      document.origin.value = name;
      document.base = base;
      document.modified.value = document.edition !== edition;
      if (document === active()) keep();
      else write(document);
    },
  };
}

/** Milliseconds after which work that waits for an idle moment is done all the same. */
const patience = 200;

function whenIdle(work: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(work, { timeout: patience });
  else setTimeout(work, 0);
}

const draftOf = (document: WorkflowDocument, window: string): Omit<Draft, 'time'> => ({
  id: document.id,
  window,
  name: document.name.value,
  origin: document.origin.value,
  modified: document.modified.value,
  base: document.base,
  view: document.view,
  workflow: document.workflow,
});
