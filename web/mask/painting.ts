import { signal } from '@preact/signals';
import { beginEdit, coloured, faded, inverted, towards, type Blend, type Edit } from './edit.ts';
import { createHistory } from './history.ts';
import { createLayer, isEmpty, wholeOf, type Area, type Layer } from './layer.ts';
import { everything, type Shape } from './shapes.ts';
import { rgbOf, type Brush } from './brush.ts';

/** Which layer the tools paint on: the mask, or colours over the picture. */
export type LayerName = 'mask' | 'paint';

/** A picture and what is painted on it. */
export type Painting = ReturnType<typeof createPainting>;

interface PaintingParts {
  readonly width: number;
  readonly height: number;
  /** What was painted before; made when it is first needed. */
  readonly layers: Partial<Record<LayerName, Layer>>;
  readonly brush: Brush;
  /** The layers that there are; left out: both. */
  readonly names?: readonly LayerName[];
}

const both: readonly LayerName[] = ['mask', 'paint'];
const channels = { mask: 1, paint: 4 } as const;

/** What the tools do to the layers, with its history. */
export function createPainting({
  width,
  height,
  layers: given,
  brush,
  names = both,
}: PaintingParts) {
  const layers: Partial<Record<LayerName, Layer>> = { ...given };
  const history = createHistory();
  const target = signal<LayerName>(names[0]);
  /** Counts changes, for what shows whether there are steps to take back. */
  const revision = signal(0);
  const watchers = new Set<(name: LayerName, area: Area) => void>();
  let current: { readonly edit: Edit; readonly name: LayerName } | null = null;

  const layerOf = (name: LayerName): Layer =>
    (layers[name] ??= createLayer(width, height, channels[name]));
  const changed = (name: LayerName, area: Area): void => {
    if (!isEmpty(area)) for (const watch of watchers) watch(name, area);
  };
  const blendOf = (name: LayerName, erase: boolean): Blend => {
    if (name === 'mask') return towards(erase ? 0 : 255);
    return erase ? faded : coloured(rgbOf(brush.colour.value));
  };
  const nameOf = (layer: Layer): LayerName => (layer === layers.mask ? 'mask' : 'paint');
  const finish = (keep: boolean): void => {
    if (current === null) return;
    const change = current.edit.done();
    const { name } = current;
    current = null;
    if (change.bytes === 0) return;
    if (keep) history.add(change);
    else {
      change.swap();
      changed(name, change.area);
    }
    revision.value++;
  };
  const all = (blend: Blend): void => {
    finish(true);
    const name = target.value;
    const edit = beginEdit(layerOf(name), blend);
    current = { edit, name };
    changed(name, edit.paint(everything({ width, height })));
    finish(true);
  };
  const travel = (direction: 'undo' | 'redo'): void => {
    finish(true);
    const change = history[direction]();
    if (change === null) return;
    changed(nameOf(change.layer), change.area);
    revision.value++;
  };

  return {
    width,
    height,
    names,
    whole: wholeOf({ width, height }),
    target,
    revision,
    layer: (name: LayerName): Layer | undefined => layers[name],
    layerOf,
    /** Tells of every change of a layer; returns what ends that. */
    watch(watcher: (name: LayerName, area: Area) => void): () => void {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    /** Begins a step that shapes are painted with, on the layer that is chosen. */
    begin(erase: boolean): void {
      finish(true);
      const name = target.value;
      current = {
        name,
        edit: beginEdit(layerOf(name), blendOf(name, erase), brush.opacity.value),
      };
    },
    paint(shape: Shape): void {
      if (current !== null) changed(current.name, current.edit.paint(shape));
    },
    /** Ends the step and keeps it for undo. */
    end: () => finish(true),
    /** Ends the step as if it had never begun. */
    cancel: () => finish(false),
    undo: () => travel('undo'),
    redo: () => travel('redo'),
    clear: () => all(target.value === 'mask' ? towards(0) : faded),
    /** Turns the mask around; paint has no other side. */
    invert: (): void => {
      if (!names.includes('mask')) return;
      target.value = 'mask';
      all(inverted);
    },
    canUndo: (): boolean => revision.value >= 0 && history.canUndo,
    canRedo: (): boolean => revision.value >= 0 && history.canRedo,
  };
}
