import type { Server } from '../api/server.ts';
import { t } from '../locale/translate.ts';
import { ask, toast, type State } from '../state.ts';
import { fingerprint, messageOf } from '../text.ts';
import { isUntitled, type WorkflowDocument } from './document.ts';
import type { Documents } from './documents.ts';

interface SavingParts {
  readonly documents: Documents;
  readonly server: Server;
  readonly state: State;
  /** There is another file among the user's workflows, or a changed one. */
  readonly saved: () => Promise<void>;
}

/** The name of a saved workflow from its path, and the other way round. */
export const nameOf = (path: string): string => path.replace(/\.json$/i, '');
export const pathOf = (name: string): string => `${name}.json`;

/** Saving documents among the user's workflows, never in the place of what is not theirs. */
export function createSaving({ documents, server, state, saved }: SavingParts) {
  /** Asks under which name to save; null when the user thinks better of it. */
  const askName = async (given: string): Promise<string | null> => {
    const name = await ask(state, {
      title: t('Save workflow as'),
      text: t('A slash puts it into a folder.'),
      confirm: t('Save'),
      field: isUntitled(given) ? '' : given,
    });
    return name === null ? null : cleanName(name);
  };

  /** Writes under a name that is not the document's; asks before it takes the place of another one. */
  const writeNew = async (name: string, text: string): Promise<boolean> => {
    if ((await server.saveWorkflow(pathOf(name), text, false)) === 'saved') return true;
    const answer = await ask(state, {
      title: t('Replace the saved workflow?'),
      text: t('There is already a workflow called {name}. It will be gone.', { name }),
      confirm: t('Replace'),
      danger: true,
    });
    if (answer === null) return false;
    await server.saveWorkflow(pathOf(name), text, true);
    return true;
  };

  /** Writes over the document's own file; asks when somebody else has changed that meanwhile. */
  const writeOver = async (
    document: WorkflowDocument,
    name: string,
    text: string,
  ): Promise<'saved' | 'elsewhere' | 'no'> => {
    const now = await server.savedWorkflow(pathOf(name));
    const changed = now !== null && document.base !== null && fingerprint(now) !== document.base;
    if (changed) {
      const elsewhere = t('Save as');
      const answer = await ask(state, {
        title: t('Changed elsewhere'),
        text: t('{name} was saved by another window or program since it was opened here.', {
          name,
        }),
        confirm: t('Replace'),
        otherwise: elsewhere,
        danger: true,
      });
      if (answer !== '') return answer === elsewhere ? 'elsewhere' : 'no';
    }
    await server.saveWorkflow(pathOf(name), text, true);
    return 'saved';
  };

  const save = async (document: WorkflowDocument, underNewName: boolean): Promise<boolean> => {
    const { text, edition } = documents.textOf(document);
    const own = document.origin.value;
    const name = underNewName || own === null ? await askName(document.name.value) : own;
    if (name === null) return false;
    if (name === own) {
      const outcome = await writeOver(document, name, text);
      if (outcome === 'elsewhere') return save(document, true);
      if (outcome === 'no') return false;
    } else if (!(await writeNew(name, text))) return false;
    documents.markSaved(document, name, fingerprint(text), edition);
    return true;
  };

  /** Saves a document; false when the user thought better of it, or it failed and was said so. */
  const trySave = async (document: WorkflowDocument, underNewName = false): Promise<boolean> => {
    try {
      if (!(await save(document, underNewName))) return false;
      toast(state, t('Saved {name}', { name: document.name.value }));
      void saved();
      return true;
    } catch (error) {
      const why = messageOf(error);
      const text = t('Not saved on the server ({why}); use Download instead', { why });
      toast(state, text, 'error');
      return false;
    }
  };

  return {
    /** Saves into the user's workflows on the server; asks for a name the first time. */
    save: (underNewName = false, document = documents.active()): Promise<boolean> =>
      trySave(document, underNewName),
    /** Closes a tab; asks first where that would lose something. False when it stays. */
    async close(document: WorkflowDocument = documents.active()): Promise<boolean> {
      if (document === documents.active()) documents.settle();
      if (document.modified.value) {
        const without = t("Don't save");
        const answer = await ask(state, {
          title: t('Save changes to {name}?', { name: document.name.value }),
          text: t('Without saving they are gone once the page is left.'),
          confirm: t('Save'),
          otherwise: without,
        });
        if (answer === null || (answer === '' && !(await trySave(document)))) return false;
      }
      documents.close(document);
      return true;
    },
  };
}

/** A name as a path without ending, odd slashes and spaces; null where nothing is left of it. */
export function cleanName(name: string): string | null {
  const parts = nameOf(name)
    .split(/[\\/]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.length === 0 ? null : parts.join('/');
}
