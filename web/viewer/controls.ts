import { signal, type Signal } from '@preact/signals';

/** What the viewer's buttons and keys do to the picture on its stage. */
export interface ViewerControls {
  /** CSS pixels for one of the picture's. */
  readonly scale: Signal<number>;
  /** Pixels of the picture; null until it is there. */
  readonly size: Signal<{ readonly width: number; readonly height: number } | null>;
  fit: () => void;
  actualSize: () => void;
  zoomBy: (factor: number) => void;
}

const nothing = (): void => undefined;

/** Controls that do nothing until a picture is on the stage. */
export const createControls = (): ViewerControls => ({
  scale: signal(1),
  size: signal(null),
  fit: nothing,
  actualSize: nothing,
  zoomBy: nothing,
});
