import type { LGraphNode } from '@comfyorg/litegraph';
import type { Server } from '../api/server.ts';
import { imagesOf } from '../graph/node-pictures.ts';
import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { fileOfUrl } from './files.ts';
import { paintFile } from './paint-file.ts';

export { openPainter } from './painter.ts';

export interface MaskEditing {
  readonly server: Server;
  readonly state: State;
  /** Gives the saved picture (`clipspace/… [input]`) to the node it was opened from. */
  readonly saved: (node: LGraphNode, value: string) => void;
}

/**
 * Opens the mask editor on a picture that a node shows (the first one unless told otherwise); a
 * toast says why when it cannot.
 */
export async function openMaskEditor(
  node: LGraphNode,
  { server, state, saved }: MaskEditing,
  index = 0,
): Promise<void> {
  const file = fileOfUrl(imagesOf(node)[index]?.url ?? 'none:');
  if (file === null) {
    toast(state, t('This node shows no picture to paint on'), 'error');
    return;
  }
  await paintFile(file, { server, state, saved: (value) => saved(node, value) });
}
