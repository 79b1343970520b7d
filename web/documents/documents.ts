import { parseJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { Stage } from '../graph/stage.ts';
import { createUndoStack } from '../graph/undo.ts';
import { detectForm } from '../graph/workflow-file.ts';
import { toast, type State } from '../state.ts';
import { createDocument, untitled, type WorkflowDocument } from './document.ts';
import type { Draft, Drafts } from './drafts.ts';
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

  let full = false;
  const write = (document: WorkflowDocument): void => {
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
  };
  /** Reads the stage back into the active document and keeps a copy in the browser. */
  const keep = (): void => {
    const document = active();
    if (!isOpen(document)) return;
    document.workflow = stage.toText(document.source);
    document.view = stage.view();
    write(document);
  };
  const edits = trackEdits({ active, redraw, keep });

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

  /** A document with a draft's content; with its id too where the draft is this window's own. */
  const fromDraft = (draft: Draft): WorkflowDocument => {
    const { name, origin, modified, view, workflow } = draft;
    const source = toPlain(parseJson(workflow));
    const document = make(name, draft.window === self.id ? { id: draft.id, origin } : { origin });
    document.modified.value = modified;
    return Object.assign(document, { source, workflow, view });
  };
  const list = (document: WorkflowDocument): WorkflowDocument => {
    state.documents.value = [...state.documents.value, document];
    return document;
  };
  /** Takes a draft over from a window that is gone. */
  const adopt = (draft: Draft): WorkflowDocument => {
    const document = list(fromDraft(draft));
    write(document);
    if (!full) drafts.remove(draft.id);
    return document;
  };

  const open = (data: unknown, name: string, origin: string | null = null): WorkflowDocument => {
    const form = detectForm(data);
    if (form === null) throw new TypeError(`${name}: this JSON is not a workflow`);
    const before = active();
    const document = make(name, { origin });
    if (form === 'workflow') document.source = data;
    const hadWork = isOpen(before);
    replace(document, data);
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
    keep,
    active,
    /**
     * Opens a parsed workflow or API prompt as a new document; throws a TypeError when the data is
     * neither. Without `origin`, its name among the user's workflows, it was never saved.
     */
    open,
    clear: () => open({ nodes: [], links: [], version: 0.4 }, untitled),
    /** The drafts this window may continue: its own that are not shown, and those nobody has open. */
    async refreshDrafts(): Promise<void> {
      const others = await self.others();
      state.drafts.value = drafts
        .all()
        .filter(({ id, window }) => id !== active().id && !others.has(window));
    },
    /** Continues a draft; throws when its text is no workflow any more. */
    openDraft(draft: Draft): void {
      const own = state.documents.value.find(({ id }) => id === draft.id);
      show(own ?? adopt(draft));
    },
    removeDraft(draft: Draft): void {
      state.documents.value = state.documents.value.filter(({ id }) => id !== draft.id);
      drafts.remove(draft.id);
    },
    /**
     * Shows what was shown before the page was left: this window's documents after a reload, a
     * copy in a duplicated window, and in the only window the newest draft of all. Returns whether
     * there was any.
     */
    restore(others: ReadonlySet<string>): boolean {
      const all = drafts.all();
      const own = all.filter(({ window }) => window === self.id);
      const free = all.filter(({ window }) => window !== self.id && !others.has(window));
      const copied = all.find(({ window }) => window === self.copyOf);
      const next = own[0] ?? copied ?? (others.size === 0 ? free[0] : undefined);
      // Nobody will come back for what is free and has nothing unsaved.
      for (const draft of free) if (draft !== next && !draft.modified) drafts.remove(draft.id);
      if (next === undefined) return false;
      try {
        for (const draft of own) list(fromDraft(draft));
        const document = own.includes(next)
          ? state.documents.value[0]
          : free.includes(next)
            ? adopt(next)
            : fromDraft(next);
        put(document, document.source);
        return true;
      } catch {
        return false;
      }
    },
    /** The text of the active document went to `name` among the user's workflows. */
    markSaved(document: WorkflowDocument, name: string, text: string): void {
      document.name.value = name;
      document.origin.value = name;
      if (document === active()) {
        document.modified.value = stage.toText(document.source) !== text;
        keep();
      } else document.modified.value = document.workflow !== text;
    },
  };
}
