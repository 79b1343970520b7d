import type { LGraphNode } from '@comfyorg/litegraph';
import { ImageView, type NodeImage } from './widgets/image-view.ts';
import { Multiline } from './widgets/multiline.ts';

/** Heights of nodes before a live preview made them taller. */
const heightBefore = new WeakMap<LGraphNode, { before: number; grown: number }>();
const views = new WeakMap<LGraphNode, ImageView>();
const texts = new WeakMap<LGraphNode, Multiline>();

/** Shows pictures at the bottom of a node (none: removes them), growing it when needed. */
export function setImages(node: LGraphNode, images: readonly NodeImage[]): void {
  let view = views.get(node);
  if (view === undefined) {
    if (images.length === 0) return;
    view = new ImageView({ name: '$preview', type: 'custom', value: '', options: {}, y: 0 }, node);
    views.set(node, view);
    node.addCustomWidget(view);
  }
  const wasEmpty = view.images.length === 0;
  view.images = images;
  if (wasEmpty && images.length > 0) {
    const [, before] = node.size;
    grow(node);
    if (images[0].live) heightBefore.set(node, { before, grown: node.size[1] });
  }
  if (images.length === 0) {
    const height = heightBefore.get(node);
    if (height !== undefined && height.grown === node.size[1]) {
      node.setSize([node.size[0], height.before]);
    }
    heightBefore.delete(node);
  }
  node.setDirtyCanvas(true, true);
}

export const imagesOf = (node: LGraphNode): readonly NodeImage[] => views.get(node)?.images ?? [];

/** The picture at a point relative to the node, or null. */
export const imageAt = (node: LGraphNode, x: number, y: number): number | null =>
  views.get(node)?.imageAt(x, y) ?? null;

/** Shows a text result (PreviewAny and the like) in a read-only field. */
export function setText(node: LGraphNode, text: string): void {
  let field = texts.get(node);
  if (field === undefined) {
    field = new Multiline(
      {
        name: '$text',
        type: 'text',
        value: text,
        options: {},
        y: 0,
        settings: { placeholder: '', readOnly: true, minHeight: 90 },
      },
      node,
    );
    field.serialize = false;
    texts.set(node, field);
    node.addCustomWidget(field);
    grow(node);
  }
  field.value = text;
  node.setDirtyCanvas(true, true);
}

function grow(node: LGraphNode): void {
  const needed = node.computeSize();
  node.setSize([Math.max(node.size[0], needed[0]), Math.max(node.size[1], needed[1])]);
}
