import { type Signal, signal } from '@preact/signals';
import { ServerProblem } from '../api/v1.ts';
import { messageOf } from '../text.ts';
import type { DatasetItem, TrainingApi } from './api.ts';

/** A caption that is written. */
export interface Caption {
  readonly text: Signal<string>;
  /** `failed`: it is kept here, and tried again. */
  readonly state: Signal<'saved' | 'changed' | 'saving' | 'failed'>;
  /** Why it could not be saved. */
  readonly problem: Signal<string>;
  set(text: string): void;
  /** Saves what is not saved yet; never throws. */
  save(): Promise<void>;
  /** Saves no more, and keeps nothing. */
  drop(): void;
}

export type Captions = ReturnType<typeof createCaptions>;

/** Milliseconds of rest after which a text is saved, and after which a save that failed is tried again. */
const REST = 1000;
const AGAIN = 5000;

/** The captions of a data set. A text that is not saved yet lies in the browser too, and is there in the next visit. */
export function createCaptions(
  dataset: string,
  api: Pick<TrainingApi, 'writeCaption'>,
  storage: Storage,
) {
  const known = new Map<string, Caption>();

  const open = ({ filename, caption }: DatasetItem): Caption => {
    const key = `noodle.caption.${dataset}/${filename}`;
    const left = storage.getItem(key);
    const text = signal(left ?? caption ?? '');
    const state = signal<'saved' | 'changed' | 'saving' | 'failed'>(
      left === null ? 'saved' : 'changed',
    );
    const problem = signal('');
    let timer: ReturnType<typeof setTimeout> | undefined;
    let saving: Promise<void> | undefined;

    const saveLater = (pause: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => void save(), pause);
    };
    const write = async (): Promise<void> => {
      // What is typed while it is saved is saved behind it.
      for (let sent: string | undefined; sent !== text.value;) {
        sent = text.value;
        state.value = 'saving';
        try {
          await api.writeCaption(dataset, filename, sent);
        } catch (error) {
          state.value = 'failed';
          problem.value = messageOf(error);
          // A picture that is gone does not come back by itself.
          const isGone = error instanceof ServerProblem && error.status === 404;
          if (!isGone) saveLater(AGAIN);
          return;
        }
      }
      state.value = 'saved';
      problem.value = '';
      storage.removeItem(key);
    };
    const save = async (): Promise<void> => {
      clearTimeout(timer);
      if (state.value === 'saved') return;
      saving ??= write().finally(() => (saving = undefined));
      await saving;
    };
    if (left !== null) saveLater(0);
    return {
      text,
      state,
      problem,
      save,
      drop: () => {
        clearTimeout(timer);
        state.value = 'saved';
        storage.removeItem(key);
      },
      set: (next) => {
        text.value = next;
        if (state.value !== 'saving') state.value = 'changed';
        keep(storage, key, next);
        saveLater(REST);
      },
    };
  };

  return {
    /** The caption of a picture; asked again, the same one, whatever the server had meanwhile. */
    of: (item: DatasetItem): Caption => {
      const caption = known.get(item.filename) ?? open(item);
      known.set(item.filename, caption);
      return caption;
    },
    /** Saves all that is not saved; false where some could not be. */
    saveAll: async (): Promise<boolean> => {
      await Promise.all([...known.values()].map((caption) => caption.save()));
      return [...known.values()].every(({ state }) => state.value === 'saved');
    },
    isSaved: (): boolean => [...known.values()].every(({ state }) => state.value === 'saved'),
    /** The picture is deleted, and its caption with it. */
    forget: (filename: string): void => {
      known.get(filename)?.drop();
      known.delete(filename);
    },
    /** The server's captions count from now on; those that are not saved stay. */
    forgetSaved: (): void => {
      for (const [filename, { state }] of known) {
        if (state.value === 'saved') known.delete(filename);
      }
    },
  };
}

function keep(storage: Storage, key: string, text: string): void {
  try {
    storage.setItem(key, text);
  } catch {
    // No room: it is kept in the window alone.
  }
}
