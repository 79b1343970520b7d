import { effect, type Signal } from '@preact/signals';
import type { Brush } from './brush.ts';
import { pixelsOf } from './files.ts';
import { createKeys, startKey } from './keys.ts';
import type { Layer } from './layer.ts';
import type { Painting } from './painting.ts';
import { listenForPointers, zoomed } from './pointer.ts';
import { tools, type Bench, type Tool } from './tools.ts';
import { createView, type Camera } from './view.ts';

interface StageParts {
  /** What has the keys, the canvas in it, and the ring that shows the brush's size. */
  readonly root: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly ring: HTMLElement;
  readonly painting: Painting;
  readonly brush: Brush;
  readonly colours: ImageBitmap;
  /** Id of the tool that is chosen. */
  readonly tool: Signal<string>;
  /** Pixels of the screen a pixel, as it is now. */
  readonly zoom: Signal<number>;
  readonly save: () => void;
}

export type Stage = ReturnType<typeof startStage>;

export const toolOf = (id: string): Tool => tools.find((tool) => tool.id === id) ?? tools[0];

/** Shows the picture and lets it be painted on by pointer and keys, until it is disposed of. */
export function startStage(parts: StageParts) {
  const { root, canvas, ring, painting, brush, tool, zoom } = parts;
  const view = createView(canvas, painting, brush, parts.colours);
  let picture: Layer | null = null;
  const bench: Bench = {
    painting,
    brush,
    view,
    picture: () => (picture ??= pixelsOf(parts.colours)),
    lastPlace: null,
  };
  let space = false;
  let pointer: { x: number; y: number } | null = null;

  const showRing = (): void => {
    const round = pointer !== null && !space && toolOf(tool.value).settings.includes('size');
    ring.hidden = !round;
    canvas.style.cursor = space ? 'grab' : round ? 'none' : 'crosshair';
    if (pointer === null) return;
    const size = Math.max(3, brush.size.value * view.camera.scale);
    ring.style.width = ring.style.height = `${size}px`;
    ring.style.transform = `translate(${pointer.x - size / 2}px, ${pointer.y - size / 2}px)`;
    ring.style.setProperty('--core', `${Math.round(brush.hardness.value * 100)}%`);
  };
  const moved = (): void => {
    zoom.value = view.camera.scale;
    showRing();
  };
  let fitted: Camera | null = null;
  const fit = (): void => {
    fitted = view.fitting();
    view.camera = fitted;
    moved();
  };
  const zoomBy = (factor: number): void => {
    const middle = { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 };
    view.camera = zoomed(view.camera, factor, middle);
    moved();
  };

  const keys = createKeys({
    painting,
    brush,
    choose: (id) => (tool.value = id),
    fit,
    zoom: zoomBy,
    save: parts.save,
  });
  const stop = new AbortController();
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === ' ' && event.target instanceof HTMLButtonElement) return;
    if (event.key === ' ') {
      space = event.type === 'keydown';
      showRing();
      event.preventDefault();
    } else if (event.type === 'keydown' && startKey(keys, event)) event.preventDefault();
  };
  root.addEventListener('keydown', onKey, { signal: stop.signal });
  root.addEventListener('keyup', onKey, { signal: stop.signal });

  const stopPointers = listenForPointers({
    canvas,
    bench,
    tool: () => toolOf(tool.value),
    panning: () => space,
    hover: (place) => {
      pointer = place;
      showRing();
    },
    moved,
  });
  const effects = [
    effect(() => {
      void [brush.size.value, brush.hardness.value, tool.value];
      showRing();
    }),
    effect(() => {
      void brush.tint.value;
      view.recolour();
    }),
    effect(() => {
      void brush.tintOpacity.value;
      view.redraw();
    }),
  ];
  const resized = new ResizeObserver(() => {
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    // A picture that was moved stays where it is.
    if (fitted === null || view.camera === fitted) fit();
    else view.redraw();
  });
  resized.observe(canvas);

  return {
    fit,
    zoomBy,
    dispose(): void {
      stop.abort();
      stopPointers();
      for (const end of effects) end();
      resized.disconnect();
      view.dispose();
    },
  };
}
