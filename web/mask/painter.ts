import type { LGraphNode } from '@comfyorg/litegraph';
import { annotated } from '../api/annotated.ts';
import type { Server } from '../api/server.ts';
import { pictureInto } from '../graph/node-pictures.ts';
import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { messageOf, textOf } from '../text.ts';
import { blobOf, fetchBlob, pixelsOf } from './files.ts';
import type { Layer } from './layer.ts';
import { openPainting } from './open-painting.ts';

export interface PainterParts {
  readonly server: Server;
  readonly state: State;
  /** Gets the value that names what was painted. */
  readonly saved: (value: string) => void;
}

/**
 * Opens what is painted over a node's picture (PAINTER), or over its plain colour: the paint alone is
 * saved, with what is not painted see-through.
 */
export async function openPainter(
  node: LGraphNode,
  field: { readonly value?: unknown },
  { server, state, saved }: PainterParts,
): Promise<void> {
  try {
    const colours = await groundOf(node);
    const paint = await paintOf(server, textOf(field.value), colours);
    openPainting(state, {
      title: 'Painter',
      colours,
      layers: paint === null ? {} : { paint },
      names: ['paint'],
      save: (painting) => savePaint(server, node, painting.layerOf('paint')),
      saved,
    });
  } catch (error) {
    toast(state, messageOf(error), 'error');
  }
}

/** The picture that comes into a node; else its colour, in its size. */
function groundOf(node: LGraphNode): Promise<ImageBitmap> {
  const picture = pictureInto(node, { own: false });
  if (picture !== null) return createImageBitmap(picture);
  const valueOf = (name: string): unknown => node.widgets?.find((w) => w.name === name)?.value;
  const canvas = new OffscreenCanvas(
    Number(valueOf('width')) || 512,
    Number(valueOf('height')) || 512,
  );
  const context = canvas.getContext('2d');
  if (context === null) throw new Error(t('The browser has no memory for this picture'));
  context.fillStyle = textOf(valueOf('bg_color'), '#000000');
  context.fillRect(0, 0, canvas.width, canvas.height);
  return createImageBitmap(canvas);
}

/** What was painted before, in the size of the ground; null when nothing was, or it is gone. */
async function paintOf(
  server: Server,
  value: string,
  { width, height }: ImageBitmap,
): Promise<Layer | null> {
  if (value.trim() === '') return null;
  const blob = await fetchBlob(server.viewUrl(annotated(value))).catch(() => null);
  if (blob === null) return null;
  return pixelsOf(await createImageBitmap(blob, { resizeWidth: width, resizeHeight: height }));
}

/**
 * Stores paint as ComfyUI's page does, but where it stays: the folder of previews is emptied.
 * Nothing painted is no file.
 */
async function savePaint(server: Server, { id }: LGraphNode, paint: Layer): Promise<string> {
  if (!paint.data.some((byte) => byte !== 0)) return '';
  const filename = `painter-${id}-${Date.now()}.png`;
  const image = await blobOf(new ImageData(paint.data, paint.width, paint.height));
  await server.uploadInto(image, { filename, subfolder: 'painter', type: 'input' });
  return `painter/${filename} [input]`;
}
