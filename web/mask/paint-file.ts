import { signal } from '@preact/signals';
import { h } from 'preact';
import type { Server } from '../api/server.ts';
import type { FileRef } from '../api/types.ts';
import { t } from '../locale/translate.ts';
import { ask, closeDialog, openDialog, toast, type State } from '../state.ts';
import '../style/mask.css';
import { messageOf } from '../text.ts';
import { createBrush } from './brush.ts';
import { openPicture, savePainting } from './files.ts';
import { MaskEditor } from './mask-editor.tsx';
import { createPainting } from './painting.ts';

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

  const { colours } = opened;
  const { width, height } = colours;
  const brush = createBrush(localStorage);
  const layers = Object.fromEntries(
    Object.entries({ mask: opened.mask, paint: opened.paint }).filter(([, layer]) => layer),
  );
  const painting = createPainting({ width, height, layers, brush });
  const saving = signal(false);
  const problem = signal('');
  const close = (): void => {
    closeDialog(state, id);
    brush.stop();
    colours.close();
  };
  const mayClose = async (): Promise<boolean> => {
    if (!painting.canUndo()) return true;
    const answer = await ask(state, {
      title: t('Leave without saving?'),
      text: t('What you painted will be gone.'),
      confirm: t('Leave'),
      danger: true,
    });
    return answer !== null;
  };
  const save = async (): Promise<void> => {
    if (saving.value) return;
    saving.value = true;
    painting.end();
    try {
      const value = await savePainting(server, {
        file: opened.file,
        colours,
        mask: painting.layerOf('mask'),
        paint: painting.layer('paint'),
      });
      close();
      saved(value);
    } catch (error) {
      saving.value = false;
      problem.value = t('Not saved: {reason}', { reason: messageOf(error) });
    }
  };
  const cancel = async (): Promise<void> => {
    if (await mayClose()) close();
  };
  const id = openDialog(state, {
    title: 'Mask editor',
    className: 'mask-editor',
    close: () => void cancel(),
    body: () =>
      h(MaskEditor, {
        painting,
        brush,
        colours,
        saving,
        problem,
        save: () => void save(),
        cancel: () => void cancel(),
      }),
  });
}
