import type { IconName } from '../panels/icons.tsx';
import type { Brush } from './brush.ts';
import type { Layer } from './layer.ts';
import type { Painting } from './painting.ts';
import { flood, polygon, rectangle, segment, type StrokePoint } from './shapes.ts';
import type { View } from './view.ts';

/** Where the pointer is, in pixels of the picture; pressure 0..1 (1 for a mouse). */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly pressure: number;
}

/** What a tool does between press and release. */
export interface Gesture {
  /** Its places are those of the canvas's box, not of the picture. */
  readonly onScreen?: true;
  move(place: Place): void;
  end(): void;
  cancel(): void;
}

/** What tools work with. */
export interface Bench {
  readonly painting: Painting;
  readonly brush: Brush;
  readonly view: View;
  /** The picture's own pixels. */
  readonly picture: () => Layer;
  /** Where the last stroke ended: a stroke with Shift held starts there. */
  lastPlace: Place | null;
}

export interface PressedKeys {
  readonly erase: boolean;
  readonly straight: boolean;
}

/** A tool; the pencil's settings that it heeds are shown beside it. */
export interface Tool {
  readonly id: string;
  readonly title: string;
  readonly icon: IconName;
  readonly key: string;
  readonly settings: readonly ('size' | 'hardness' | 'opacity' | 'tolerance')[];
  readonly press: (bench: Bench, place: Place, keys: PressedKeys) => Gesture | null;
}

/** All tools, in the order of their buttons. */
export const tools: readonly Tool[] = [
  {
    id: 'brush',
    title: 'Brush',
    icon: 'brush',
    key: 'b',
    settings: ['size', 'hardness', 'opacity'],
    press: stroke,
  },
  {
    id: 'eraser',
    title: 'Eraser',
    icon: 'eraser',
    key: 'e',
    settings: ['size', 'hardness', 'opacity'],
    press: (bench, place, keys) => stroke(bench, place, { ...keys, erase: true }),
  },
  {
    id: 'rectangle',
    title: 'Rectangle',
    icon: 'rectangle',
    key: 'r',
    settings: ['opacity'],
    press: drawnOut(
      (points) => corners(points[0], points[points.length - 1]),
      ([a, , c]) => rectangle(a[0], a[1], c[0], c[1]),
    ),
  },
  {
    id: 'lasso',
    title: 'Lasso',
    icon: 'lasso',
    key: 'l',
    settings: ['opacity'],
    press: drawnOut((points) => points, polygon),
  },
  {
    id: 'fill',
    title: 'Fill',
    icon: 'bucket',
    key: 'g',
    settings: ['opacity', 'tolerance'],
    press: poured(({ painting }) => painting.layerOf(painting.target.value)),
  },
  {
    id: 'wand',
    title: 'Fill like colours of the picture',
    icon: 'wand',
    key: 'w',
    settings: ['opacity', 'tolerance'],
    press: poured((bench) => bench.picture()),
  },
];

function stroke(bench: Bench, place: Place, { erase, straight }: PressedKeys): Gesture {
  const { painting, brush } = bench;
  const hardness = brush.hardness.value;
  const point = ({ x, y, pressure }: Place): StrokePoint => ({
    x,
    y,
    radius: Math.max(0.5, (brush.size.value / 2) * pressure),
  });
  const lineTo = (next: Place): void => {
    painting.paint(segment(point(last), point(next), hardness));
    last = next;
  };
  const before = straight ? bench.lastPlace : null;
  let last = before === null ? place : { ...before, pressure: place.pressure };
  let skipped: Place | null = null;
  painting.begin(erase);
  lineTo(place);
  return {
    move(next) {
      // Pointers report more places than a large brush can tell apart.
      const apart = Math.hypot(next.x - last.x, next.y - last.y);
      skipped = next;
      if (apart < Math.max(0.5, brush.size.value / 24)) return;
      skipped = null;
      lineTo(next);
    },
    end() {
      if (skipped !== null) lineTo(skipped);
      bench.lastPlace = last;
      painting.end();
    },
    cancel: () => painting.cancel(),
  };
}

type Points = readonly (readonly [number, number])[];

/** A shape that is drawn out first and painted when the pointer is let go. */
function drawnOut(
  outlineOf: (points: Points) => Points,
  shapeOf: (outline: Points) => ReturnType<typeof polygon>,
): Tool['press'] {
  return ({ painting, view }, place, { erase }) => {
    const points: [number, number][] = [[place.x, place.y]];
    return {
      move({ x, y }) {
        points.push([x, y]);
        view.outline(outlineOf(points));
      },
      end() {
        view.outline([]);
        if (points.length < 2) return;
        painting.begin(erase);
        painting.paint(shapeOf(outlineOf(points)));
        painting.end();
      },
      cancel: () => view.outline([]),
    };
  };
}

const corners = (a: readonly [number, number], b: readonly [number, number]): Points => [
  a,
  [b[0], a[1]],
  b,
  [a[0], b[1]],
];

/** A press fills what hangs together around its place. */
function poured(sourceOf: (bench: Bench) => Layer): Tool['press'] {
  return (bench, place, { erase }) => {
    const { painting, brush } = bench;
    const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
    if (x < 0 || y < 0 || x >= painting.width || y >= painting.height) return null;
    painting.begin(erase);
    painting.paint(flood(sourceOf(bench), x, y, brush.tolerance.value));
    painting.end();
    return null;
  };
}
