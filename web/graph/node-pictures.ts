import type { LGraphNode } from '@comfyorg/litegraph';
import { growToShow, shrinkBack } from './own-size.ts';
import { CompareView } from './widgets/compare-view.ts';
import { ImageView, type NodeImage } from './widgets/image-view.ts';
import { Multiline } from './widgets/multiline.ts';
import { Player, type MediaFile } from './widgets/player.ts';

const views = new WeakMap<LGraphNode, ImageView>();
const texts = new WeakMap<LGraphNode, Multiline>();
const players = new WeakMap<LGraphNode, Player>();

/** Shows pictures at the bottom of a node (none: removes them), growing it when needed. */
export function setImages(node: LGraphNode, images: readonly NodeImage[]): void {
  let view = views.get(node);
  if (view === undefined) {
    if (images.length === 0) return;
    view = new ImageView({ name: '$preview', type: 'custom', value: '', options: {}, y: 0 }, node);
    views.set(node, view);
    node.addCustomWidget(view);
    listenForPointer(node, view);
  }
  const before = shapeOf(view);
  const wasOver = view.over;
  view.images = images;
  // A preview comes and goes: it must not push the node over its neighbours.
  if (before === '') view.over = images[0]?.live === true && !hasRoom(node, view.wantedHeight());
  else if (images[0]?.live !== true) view.over = false;
  if (before !== shapeOf(view) || wasOver !== view.over) {
    shrinkBack(node);
    if ((images.length > 0 && !view.over) || texts.has(node)) growToShow(node);
  }
  node.setDirtyCanvas(true, true);
}

/** What decides on the room that pictures take; '' for none. */
const shapeOf = ({ images: [first], images }: ImageView): string =>
  first === undefined ? '' : `${images.length} of ${first.source.width}x${first.source.height}`;

/** Whether a node can grow by so much without covering another one. */
function hasRoom(node: LGraphNode, height: number): boolean {
  const [x, y] = node.pos;
  const bottom = y + node.size[1];
  return !(node.graph?.nodes ?? []).some((other) => {
    const [left, top, w, h] = other.boundingRect;
    const beside = left > x + node.size[0] || left + w < x;
    return other !== node && !beside && top + h > bottom && top < bottom + height + 10;
  });
}

export const imagesOf = (node: LGraphNode): readonly NodeImage[] => views.get(node)?.images ?? [];

/** Shows sounds and films at the bottom of a node (none: removes them). */
export function setMedia(node: LGraphNode, media: readonly MediaFile[]): void {
  let player = players.get(node);
  if (player === undefined) {
    if (media.length === 0) return;
    player = new Player({ name: '$media', type: 'custom', value: '', options: {}, y: 0 }, node);
    players.set(node, player);
    node.addCustomWidget(player);
  }
  const wasEmpty = player.media.length === 0;
  player.media = media;
  if (wasEmpty && media.length > 0) growToShow(node);
  if (media.length === 0) shrinkBack(node);
  node.setDirtyCanvas(true, true);
}

/** Shows two pictures in a node's field for comparing them. */
export function setCompared(node: LGraphNode, pictures: CompareView['pictures']): void {
  const view = node.widgets?.find((widget) => widget instanceof CompareView);
  if (view === undefined) return;
  view.pictures = pictures;
  node.setDirtyCanvas(true, true);
}

/** Which picture of a node is meant at a point of the graph: the opened one, else the one there, else the first. */
export function imageMeant(node: LGraphNode, at: ArrayLike<number> | null = null): number {
  const view = views.get(node);
  const there = at === null ? null : view?.imageAt(at[0] - node.pos[0], at[1] - node.pos[1]);
  return view?.opened ?? there ?? 0;
}

/**
 * Lets the pointer act on a node's pictures: on one of many, or on a button of an opened one, a press
 * acts when it is let go. Dragging moves the node all the same.
 */
function listenForPointer(node: LGraphNode, view: ImageView): void {
  const press = node.onMouseDown?.bind(node);
  const move = node.onMouseMove?.bind(node);
  const leave = node.onMouseLeave?.bind(node);
  node.onMouseDown = (event, at, canvas) => {
    if (press?.(event, at, canvas) === true) return true;
    const act = view.pressAt(at[0], at[1]);
    if (act === null) return false;
    const { pointer } = canvas;
    const select = pointer.onClick?.bind(pointer);
    pointer.onClick = (up) => {
      select?.(up);
      act();
    };
    // Quick presses of a button are no double click; on a picture they are.
    if (view.opened !== null) pointer.onDoubleClick = act;
    return false;
  };
  node.onMouseMove = (event, at, canvas) => {
    move?.(event, at, canvas);
    if (!view.hover(at)) return;
    // litegraph sets its own cursor when it is done with the event.
    queueMicrotask(() => {
      canvas.canvas.style.cursor = 'pointer';
    });
  };
  node.onMouseLeave = (event) => {
    leave?.(event);
    view.hover(null);
  };
}

/** Goes on to another one of many pictures where one is opened; returns whether one is. */
export function stepImage(node: LGraphNode, by: number): boolean {
  const view = views.get(node);
  if (view === undefined || view.opened === null) return false;
  view.open(view.opened + by);
  return true;
}

/** Shows all pictures of a node again where one is opened; returns whether one was. */
export function showAllImages(node: LGraphNode): boolean {
  const view = views.get(node);
  if (view === undefined || view.opened === null) return false;
  view.open(null);
  return true;
}

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
    growToShow(node);
  }
  field.value = text;
  node.setDirtyCanvas(true, true);
}

/** The picture that a node gets, or shows, as far as the page has seen it. */
export function pictureInto(node: LGraphNode, { own = true } = {}): NodeImage['source'] | null {
  const sources = node.inputs
    .filter(({ type }) => type === 'IMAGE')
    .map(({ link }) => node.graph?.getLink(link))
    .map((link) => (link ? node.graph?.getNodeById(link.origin_id) : null));
  for (const each of own ? [...sources, node] : sources) {
    const image = each ? imagesOf(each)[0] : undefined;
    if (image !== undefined) return image.source;
  }
  return null;
}
