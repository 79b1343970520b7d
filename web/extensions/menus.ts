import type { IContextMenuValue, LGraphNode } from '@comfyorg/litegraph';
import { EditorCanvas } from '../graph/canvas.ts';
import type { Registry } from './registry.ts';

type Item = IContextMenuValue<string> | null;

/** Adds what packs have for the menus of the canvas and of nodes. */
export function extendMenus(canvas: EditorCanvas, registry: Registry, app: unknown): void {
  const { prototype } = EditorCanvas;
  const items = (found: readonly unknown[]): Item[] => {
    const list = found.flat().filter((item) => item === null || typeof item === 'object') as Item[];
    return list.length > 0 ? [null, ...list] : [];
  };
  // Asked of the prototype each time: packs put theirs in its place.
  canvas.getNodeMenuOptions = (node: LGraphNode) => {
    const options = prototype.getNodeMenuOptions.call(canvas, node) as Item[];
    const extra = registry.guarded(node.type, 'getExtraMenuOptions', () =>
      node.getExtraMenuOptions?.(canvas, options as never),
    );
    const more = Array.isArray(extra) ? (extra as unknown[]) : [];
    return [...options, ...items([more, ...registry.call('getNodeMenuItems', [node])])] as never;
  };
  canvas.getCanvasMenuOptions = (): IContextMenuValue<string>[] => {
    const options = prototype.getCanvasMenuOptions.call(canvas);
    return [...options, ...items(registry.call('getCanvasMenuItems', [canvas, app]))] as never;
  };
}
