import type { ObjectInfo } from '../api/types.ts';
import type { Server } from '../api/server.ts';
import type { Editor } from '../editor.ts';
import type { Files } from '../files.ts';
import type { Runner } from '../run.ts';
import type { State } from '../state.ts';

/** What every panel around the canvas is given. */
export interface AppParts {
  readonly editor: Editor;
  readonly runner: Runner;
  readonly files: Files;
  readonly server: Server;
  readonly state: State;
  readonly objectInfo: ObjectInfo;
}
