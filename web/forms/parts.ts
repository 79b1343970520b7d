import type { Signal } from '@preact/signals';
import type { Server } from '../api/server.ts';
import type { State } from '../state.ts';
import type { FormApi, SavedForm } from './api.ts';
import type { FormModel } from './model.ts';
import type { Runs } from './runs.ts';

/** What the pages of forms are made of. */
export interface FormsParts {
  readonly api: FormApi;
  readonly server: Server;
  readonly state: State;
  readonly clientId: string;
}

/** What the page of one form is made of. */
export interface FormPageParts extends FormsParts {
  readonly form: Signal<SavedForm>;
  readonly model: Signal<FormModel>;
  readonly runs: Runs;
  readonly connected: Signal<boolean>;
  /** The form was changed by its author. */
  readonly changed: (form: SavedForm) => void;
  /** Forgets what was typed. */
  readonly reset: () => void;
}
