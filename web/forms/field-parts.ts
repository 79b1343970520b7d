import type { FormField } from '../../engine/workflow/form/form.ts';
import type { Server } from '../api/server.ts';
import type { State } from '../state.ts';
import type { Value } from './api.ts';
import type { FormModel } from './model.ts';

/** What every field of a form is given. */
export interface FieldParts {
  readonly id: string;
  readonly field: FormField;
  readonly value: Value;
  readonly set: (value: Value) => void;
  readonly model: FormModel;
  readonly server: Server;
  readonly state: State;
  /** Attributes that join the control to its help and its error. */
  readonly described: { readonly 'aria-describedby'?: string; readonly 'aria-invalid'?: 'true' };
}
