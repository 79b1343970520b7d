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
    const { name, origin, modified, base, view, workflow } = draft;
    const document = make(name, draft.window === self.id ? { id: draft.id, origin } : { origin });
    document.modified.value = modified;
    // Read when it is shown: a window may have many tabs.
    return Object.assign(document, { base, workflow, view });
  };
  /** Takes a draft over from a window that is gone. */
  const adopt = (draft: Draft): WorkflowDocument => {
    const document = fromDraft(draft);
    if (write(document)) drafts.remove(draft.id);
    return document;
  };
  /** Puts the first of these on the stage that can be; false when none can. */
  const putFirst = (documents: readonly WorkflowDocument[]): boolean =>
    documents.some((document) => {
      try {
        const data = toPlain(parseJson(document.workflow));
        document.source = data;
        put(document, data);
        return true;
      } catch {
        return false;
      }
    });

  /** The window whose tabs this one goes on with; undefined: it starts anew. */
  const former = (all: readonly Draft[], others: ReadonlySet<string>): string | undefined => {
    const has = (window: string | null) => all.some((draft) => draft.window === window);
    if (has(self.id)) return self.id;
    if (self.copyOf !== null && has(self.copyOf)) return self.copyOf;
    return others.size === 0 ? all[0]?.window : undefined;
  };

  return {
    /** Lists the unsaved drafts of windows that are gone: any window may continue them. */
    async refreshDrafts(): Promise<void> {
      const [others] = await Promise.all([self.others(), drafts.load()]);
      state.drafts.value = drafts
        .all()
        .filter(({ window, modified }) => modified && window !== self.id && !others.has(window));
    },
    /** Continues a draft as a tab; throws when its text is no workflow any more. */
    openDraft(draft: Draft): void {
      const document = adopt(draft);
      list(document);
      show(document);
    },
    removeDraft: (draft: Draft): void => drafts.remove(draft.id),
    /**
     * Shows what was shown before the page was left: this window's tabs after a reload or a crash,
     * a copy of the front one in a duplicated window, and in the only window the tabs of the one
     * that was used last. Returns whether there was any.
     */
    restore(others: ReadonlySet<string>): boolean {
      const all = drafts.all();
      const window = former(all, others);
      // Nobody will come back for what is free and has nothing unsaved.
      for (const draft of all) {
        const free = ![self.id, window].includes(draft.window) && !others.has(draft.window);
        if (free && !draft.modified) drafts.remove(draft.id);
      }
      drafts.tabs.prune(new Set(all.map((draft) => draft.window)));
      if (window === undefined) return false;

      const { order, active } = drafts.tabs.read(window);
      const its = all.filter((draft) => draft.window === window);
      const front = its.find(({ id }) => id === active) ?? its[0];
      const place = ({ id }: Draft) => (order.includes(id) ? order.indexOf(id) : order.length);
      // Another open window's drafts stay its own: this one starts from a copy of what it shows.
      const taken = others.has(window) ? [front] : its.sort((a, b) => place(a) - place(b));
      const isGone = window !== self.id && !others.has(window);
      const documents = taken.map(isGone ? adopt : fromDraft);
      documents.forEach(list);
      return putFirst([documents[taken.indexOf(front)], ...documents]);
    },
  };
}
