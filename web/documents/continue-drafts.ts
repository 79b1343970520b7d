import { parseJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { State } from '../state.ts';
import type { WorkflowDocument } from './document.ts';
import type { Draft, Drafts } from './drafts.ts';
import type { ThisWindow } from './window.ts';

interface ContinueParts {
  readonly drafts: Drafts;
  readonly self: ThisWindow;
  readonly state: State;
  readonly make: (name: string, given: { id?: string; origin: string | null }) => WorkflowDocument;
  readonly list: (document: WorkflowDocument) => void;
  /** Keeps a document's copy in the browser; false when there is no room. */
  readonly write: (document: WorkflowDocument) => boolean;
  readonly put: (document: WorkflowDocument, data: unknown) => void;
  readonly show: (document: WorkflowDocument) => void;
}

/** Going on with drafts: after a reload, from the list, and in place of a window that is gone. */
export function continueDrafts(parts: ContinueParts) {
  const { drafts, self, state, make, list, write, put, show } = parts;

  /** A document with a draft's content; with its id too where the draft is this window's own. */
  const fromDraft = (draft: Draft): WorkflowDocument => {
    const { name, origin, modified, view, workflow } = draft;
    const source = toPlain(parseJson(workflow));
    const document = make(name, draft.window === self.id ? { id: draft.id, origin } : { origin });
    document.modified.value = modified;
    return Object.assign(document, { source, workflow, view });
  };
  /** Takes a draft over from a window that is gone. */
  const adopt = (draft: Draft): WorkflowDocument => {
    const document = fromDraft(draft);
    list(document);
    if (write(document)) drafts.remove(draft.id);
    return document;
  };

  return {
    /** Lists the drafts this window may continue: its own that are not shown, and nobody's. */
    async refreshDrafts(): Promise<void> {
      const others = await self.others();
      state.drafts.value = drafts
        .all()
        .filter(({ id, window }) => id !== state.document.value.id && !others.has(window));
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
        const documents = own.map(fromDraft);
        documents.forEach(list);
        const document = documents[0] ?? (free.includes(next) ? adopt(next) : fromDraft(next));
        put(document, document.source);
        return true;
      } catch {
        return false;
      }
    },
  };
}
