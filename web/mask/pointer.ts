import { limits } from './brush.ts';
import type { Bench, Gesture, Place, Tool } from './tools.ts';
import type { Camera } from './view.ts';

interface PointerParts {
  readonly canvas: HTMLCanvasElement;
  readonly bench: Bench;
  readonly tool: () => Tool;
  /** The space bar is held: drags move the picture. */
  readonly panning: () => boolean;
  /** The pointer moved (in pixels of the canvas's box), or left (null): for the ring of the brush. */
  readonly hover: (at: { x: number; y: number } | null) => void;
  /** The picture was moved or zoomed. */
  readonly moved: () => void;
}

/**
 * Mouse, pen and touch over the picture: paint (right button: erase), move with Space, the middle
 * button or two fingers, zoom with the wheel or two fingers, Alt-drag for size and hardness.
 * Returns what ends the listening.
 */
export function listenForPointers(parts: PointerParts): () => void {
  const { canvas, bench, hover, moved } = parts;
  const stop = new AbortController();
  const fingers = new Map<number, { x: number; y: number }>();
  let gesture: Gesture | null = null;

  const at = (event: MouseEvent): { x: number; y: number } => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const place = (event: PointerEvent): Place => {
    const { x, y } = at(event);
    const [px, py] = bench.view.toPicture(x, y);
    return { x: px, y: py, pressure: event.pointerType === 'pen' ? event.pressure : 1 };
  };
  const on = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ): void => canvas.addEventListener(type, listener, { signal: stop.signal, passive: false });

  const begin = (event: PointerEvent): Gesture | null => {
    if (event.altKey && event.button !== 1) return adjust(bench, at(event));
    if (event.button === 1 || parts.panning()) return pan(bench, at(event));
    const keys = { erase: event.button === 2, straight: event.shiftKey };
    return parts.tool().press(bench, place(event), keys);
  };

  on('pointerdown', (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === 'touch') fingers.set(event.pointerId, at(event));
    if (fingers.size > 1) {
      gesture?.cancel();
      gesture = null;
    } else gesture = begin(event);
  });
  on('pointermove', (event) => {
    hover(event.pointerType === 'touch' ? null : at(event));
    if (fingers.size > 1 && fingers.has(event.pointerId)) {
      const before = [...fingers.values()];
      fingers.set(event.pointerId, at(event));
      bench.view.camera = pinched(bench.view.camera, before, [...fingers.values()]);
      moved();
      return;
    }
    if (gesture === null) return;
    if (gesture.onScreen) return gesture.move({ ...at(event), pressure: 1 });
    const events = event.getCoalescedEvents();
    for (const each of events.length > 0 ? events : [event]) gesture.move(place(each));
  });
  const release = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    if (event.type === 'pointercancel') gesture?.cancel();
    else gesture?.end();
    gesture = null;
  };
  on('pointerup', release);
  on('pointercancel', release);
  on('pointerleave', () => hover(null));
  on('contextmenu', (event) => event.preventDefault());
  on('wheel', (event) => {
    event.preventDefault();
    const factor = Math.exp(-event.deltaY * (event.deltaMode === 0 ? 0.0015 : 0.05));
    bench.view.camera = zoomed(bench.view.camera, factor, at(event));
    moved();
  });
  return () => stop.abort();
}

/** Moves the picture; places are those of the canvas's box. */
function pan({ view }: Bench, from: { x: number; y: number }): Gesture {
  const { camera } = view;
  return {
    onScreen: true,
    move: ({ x, y }) => {
      view.camera = { ...camera, x: camera.x + x - from.x, y: camera.y + y - from.y };
    },
    end: () => undefined,
    cancel: () => undefined,
  };
}

/** To the right the brush grows, upwards it hardens. */
function adjust({ brush }: Bench, from: { x: number; y: number }): Gesture {
  const size = brush.size.value;
  const hardness = brush.hardness.value;
  return {
    onScreen: true,
    move: ({ x, y }) => {
      brush.size.value = within(limits.size, Math.round(size + (x - from.x)));
      const harder = hardness - (y - from.y) / 200;
      brush.hardness.value = within(limits.hardness, Math.round(100 * harder) / 100);
    },
    end: () => undefined,
    cancel: () => undefined,
  };
}

const within = ({ min, max }: { min: number; max: number }, value: number): number =>
  Math.min(max, Math.max(min, value));

/** Nearer or farther, with one place of the canvas held. */
export function zoomed(
  { scale, x, y }: Camera,
  factor: number,
  held: { x: number; y: number },
): Camera {
  const next = within({ min: 0.02, max: 40 }, scale * factor);
  const by = next / scale;
  return { scale: next, x: held.x - (held.x - x) * by, y: held.y - (held.y - y) * by };
}

interface Spot {
  readonly x: number;
  readonly y: number;
}

function pinched(camera: Camera, before: readonly Spot[], now: readonly Spot[]): Camera {
  const middle = ([a, b]: readonly Spot[]): Spot => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const apart = ([a, b]: readonly Spot[]): number => Math.hypot(a.x - b.x, a.y - b.y);
  const [from, to] = [middle(before), middle(now)];
  const moved = { ...camera, x: camera.x + to.x - from.x, y: camera.y + to.y - from.y };
  return zoomed(moved, apart(now) / Math.max(1, apart(before)), to);
}
