import { parseJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { State } from '../state.ts';
import type { WorkflowDocument } from './document.ts';

interface TabParts {
  readonly state: State;
  readonly active: () => WorkflowDocument;
  readonly open: (data: unknown, name: string, how: { beside: boolean }) => WorkflowDocument;
  readonly show: (document: WorkflowDocument) => void;
  readonly list: (document: WorkflowDocument) => void;
  readonly forget: (document: WorkflowDocument) => void;
  readonly write: (document: WorkflowDocument) => boolean;
  readonly blank: () => WorkflowDocument;
  readonly edits: { readonly settle: () => void };
  readonly keep: () => void;
}

/** How many closed tabs can be opened again. */
const reopenable = 20;

/** What is done to whole tabs. */
export function createTabs(parts: TabParts) {
  const { state, active, show } = parts;
  const closed: WorkflowDocument[] = [];

  /** Brings the active document's kept text and view up to date. */
  const settle = (document: WorkflowDocument): void => {
    if (document !== active()) return;
    parts.edits.settle();
    parts.keep();
  };

  return {
    /** Closes a tab, unsaved or not; another one comes to the front, an empty one if there is none. */
    close(document: WorkflowDocument): void {
      settle(document);
      const place = state.documents.value.indexOf(document);
      const rest = state.documents.value.filter((other) => other !== document);
      if (document === active()) {
        if (rest.length === 0) parts.blank();
        else show(rest[Math.min(place, rest.length - 1)]);
      }
      parts.forget(document);
      // Its text is enough to come back.
      document.undo.clear();
      document.source = null;
      document.outputs.clear();
      closed.push(document);
      if (closed.length > reopenable) closed.shift();
    },
    /** Opens the tab again that was closed last, as it was; false when there is none. */
    reopen(): boolean {
      const document = closed.pop();
      if (document === undefined) return false;
      parts.list(document);
      show(document);
      return true;
    },
    /** Moves a tab to another place in the row. */
    move(document: WorkflowDocument, place: number): void {
      const rest = state.documents.value.filter((other) => other !== document);
      rest.splice(Math.max(0, place), 0, document);
      state.documents.value = rest;
    },
    /** Brings the tab to the front that is so many places further, round and round. */
    step(by: number): void {
      const tabs = state.documents.value;
      if (tabs.length < 2) return;
      const place = tabs.indexOf(active()) + by + tabs.length;
      show(tabs[place % tabs.length]);
    },
    /** Gives a document another name here; `origin` where its saved file has another one too. */
    rename(document: WorkflowDocument, name: string, origin = document.origin.value): void {
      document.name.value = name;
      document.origin.value = origin;
      settle(document);
      parts.write(document);
    },
    /** The saved file of a document is gone: it exists only here now. */
    orphan(document: WorkflowDocument): void {
      document.origin.value = null;
      document.base = null;
      document.modified.value = true;
      settle(document);
      parts.write(document);
    },
    /** Opens a copy of a document under another name. */
    duplicate(document: WorkflowDocument, name: string): WorkflowDocument {
      settle(document);
      const copy = parts.open(toPlain(parseJson(document.workflow)), name, { beside: true });
      copy.modified.value = true;
      parts.write(copy);
      return copy;
    },
  };
}
