import type { Command } from '../commands/command.ts';
import type { Shortcuts } from '../commands/shortcuts.ts';
import type { Feed } from '../api/feed.ts';
import type { ObjectInfo } from '../api/types.ts';
import type { Server } from '../api/server.ts';
import type { Editor } from '../editor.ts';
import type { Files } from '../files.ts';
import type { Runner } from '../run.ts';
import type { Settings } from '../settings/settings.ts';
import type { State } from '../state.ts';

/** What the page is made of; commands are written with it. */
export interface PageParts {
  readonly editor: Editor;
  readonly runner: Runner;
  readonly files: Files;
  readonly server: Server;
  readonly feed: Feed;
  readonly state: State;
  readonly settings: Settings;
  readonly shortcuts: Shortcuts;
  readonly objectInfo: ObjectInfo;
}

/** What every panel around the canvas is given. */
export interface AppParts extends PageParts {
  readonly commands: readonly Command[];
}
