import type { Server } from '../api/server.ts';
import type { FileRef } from '../api/types.ts';
import { toast, type State } from '../state.ts';
import { messageOf } from '../text.ts';
import { openPicture, savePainting } from './files.ts';
import { openPainting } from './open-painting.ts';

export interface FilePainting {
  readonly server: Server;
  readonly state: State;
  /** Gets the saved picture (`clipspace/… [input]`). */
  readonly saved: (value: string) => void;
}

/** Opens the mask editor on a picture of the server; a toast says why when it cannot. */
export async function paintFile(
  file: FileRef,
  { server, state, saved }: FilePainting,
): Promise<void> {
  const opened = await openPicture(server, file).catch((error: unknown) => {
    toast(state, messageOf(error), 'error');
    return null;
  });
  if (opened === null) return;
  const { colours, mask, paint } = opened;
  openPainting(state, {
    title: 'Mask editor',
    colours,
    layers: { ...(mask && { mask }), ...(paint && { paint }) },
    save: (painting) =>
      savePainting(server, {
        file: opened.file,
        colours,
        mask: painting.layerOf('mask'),
        paint: painting.layer('paint'),
      }),
    saved,
  });
}
