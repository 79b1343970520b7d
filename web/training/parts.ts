import type { Server } from '../api/server.ts';
import type { State } from '../state.ts';
import type { TrainingApi } from './api.ts';

/** What the pages of training are made of. */
export interface TrainingParts {
  readonly api: TrainingApi;
  readonly server: Server;
  readonly state: State;
}
