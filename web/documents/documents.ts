import { formsOf, isUiFormat } from '../../engine/workflow/forms.ts';
import { type Json, parseJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { Stage } from '../graph/stage.ts';
import { createUndoStack } from '../graph/undo.ts';
import { toast, type State } from '../state.ts';
import { createDocument, untitled, type WorkflowDocument } from './document.ts';
import { continueDrafts } from './continue-drafts.ts';
import type { Drafts } from './drafts.ts';
import { trackEdits } from './edits.ts';
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
 * The documents of this window: which one is on the stage, and a safety copy of each in the
 * browser. What is replaced on the stage stays in the list as long as it has unsaved changes.
 */
export function createDocuments({ stage, drafts, self, state, redraw, arrived }: DocumentParts) {
  const active = (): WorkflowDocument => state.document.value;
  const isOpen = (document: WorkflowDocument): boolean => state.documents.value.includes(document);

  const make = (name: string, given: { id?: string; origin?: string | null }) => {
    const document: WorkflowDocument = createDocument(
      name,
      createUndoStack(
        () => stage.snapshot(document.source),
        (text) => {
          stage.restore(text);
          arrived(document);
        },
      ),
      given,
    );
    return document;
  };

  const list = (document: WorkflowDocument): void => {
    state.documents.value = [...state.documents.value, document];
  };

  let full = false;
  const write = (document: WorkflowDocument): boolean => {
    const { id, name, origin, modified, view, workflow } = document;
    const kept = drafts.write({
      id,
      window: self.id,
      name: name.value,
      origin: origin.value,
      modified: modified.value,
      view,
      workflow,
    });
    if (!kept && !full) {
      toast(state, 'The browser keeps no more drafts: save your work, or remove drafts', 'error');
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
  const edits = trackEdits({ active, redraw, keep: keepAs });

  const forget = (document: WorkflowDocument): void => {
    state.documents.value = state.documents.value.filter((d) => d !== document);
    drafts.remove(document.id);
  };

  /** Loads `data`, the document's graph, onto the stage; puts the former one back if that fails. */
  const put = (document: WorkflowDocument, data: unknown): void => {
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
    if (!isOpen(document)) list(document);
    if (document.view === null) stage.lookAtFile(data);
    else stage.setView(document.view);
    document.undo.rebase();
    arrived(document);
    keep();
  };

  /** Puts another document on the stage; the former one is kept while it has unsaved changes. */
  const replace = (document: WorkflowDocument, data: unknown): void => {
    const before = active();
    edits.settle();
    keep();
    put(document, data);
    if (before !== document && isOpen(before) && !before.modified.value) forget(before);
  };
  const show = (document: WorkflowDocument): void =>
    replace(document, toPlain(parseJson(document.workflow)));

  const open = (data: unknown, name: string, origin: string | null = null): WorkflowDocument => {
    const { workflow, prompt } = formsOf(data as Json);
    // ComfyUI prefers the drawn workflow; a bare prompt is laid out anew.
    const form: unknown = workflow ?? prompt;
    if (form === undefined) throw new TypeError(`${name}: this JSON is not a workflow`);
    const before = active();
    const document = make(name, { origin });
    if (isUiFormat(form)) document.source = form;
    const hadWork = isOpen(before);
    replace(document, form);
    if (hadWork) offerReturn(before, document);
    return document;
  };
  const offerReturn = (before: WorkflowDocument, document: WorkflowDocument): void => {
    const kept = isOpen(before) ? `; ${before.name.value} is kept as a draft` : '';
    toast(state, `Opened ${document.name.value}${kept}`, 'info', {
      label: 'Undo open',
      run: () => show(before),
    });
  };

  return {
    ...edits,
    ...continueDrafts({ drafts, self, state, make, list, write, put, show }),
    keep,
    active,
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
    clear: () => open({ nodes: [], links: [], version: 0.4 }, untitled),
    /** The text of a document went to `name` among the user's workflows. */
    markSaved(document: WorkflowDocument, name: string, text: string): void {
      document.name.value = name;
      document.origin.value = name;
      if (document === active()) {
        document.modified.value = stage.toText(document.source) !== text;
        keep();
      } else {
        document.modified.value = document.workflow !== text;
        write(document);
      }
    },
  };
}
