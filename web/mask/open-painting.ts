import { signal } from '@preact/signals';
import { h } from 'preact';
import { t } from '../locale/translate.ts';
import { ask, closeDialog, openDialog, type State } from '../state.ts';
import '../style/mask.css';
import { messageOf } from '../text.ts';
import { createBrush } from './brush.ts';
import type { Layer } from './layer.ts';
import { MaskEditor } from './mask-editor.tsx';
import { createPainting, type LayerName, type Painting } from './painting.ts';

export interface OpenPainting {
  readonly title: string;
  /** What is painted on; closed with the dialog. */
  readonly colours: ImageBitmap;
  /** What was painted before. */
  readonly layers: Partial<Record<LayerName, Layer>>;
  /** The layers that there are; left out: mask and paint. */
  readonly names?: readonly LayerName[];
  /** Stores what was painted; the value that names it. What it throws is shown. */
  readonly save: (painting: Painting) => Promise<string>;
  readonly saved: (value: string) => void;
}

/** Opens the editor on a picture; leaving it with something painted asks first. */
export function openPainting(
  state: State,
  { title, colours, layers, names, save: store, saved }: OpenPainting,
): void {
  const { width, height } = colours;
  const brush = createBrush(localStorage);
  const painting = createPainting({ width, height, layers, brush, names });
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
      const value = await store(painting);
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
    title,
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
