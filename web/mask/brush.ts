import { effect, signal } from '@preact/signals';

/** How the tools paint; kept in the browser from one picture to the next. */
export type Brush = ReturnType<typeof createBrush>;

/** Limits of what can be chosen. */
export const limits = {
  size: { min: 1, max: 1000 },
  hardness: { min: 0, max: 1 },
  opacity: { min: 0.01, max: 1 },
  tolerance: { min: 0, max: 255 },
  tintOpacity: { min: 0.1, max: 1 },
} as const;

const key = 'noodle.brush';

const first = {
  /** Diameter, in pixels of the picture. */
  size: 40,
  hardness: 0.8,
  opacity: 1,
  /** How far colours may differ for fill and wand, 0..255. */
  tolerance: 24,
  colour: '#e03c31',
  /** How the mask is shown over the picture. */
  tint: '#f2555a',
  tintOpacity: 0.6,
};

type Choices = typeof first;

/** The brush as it was left the last time. */
export function createBrush(storage: Storage) {
  const kept = read(storage);
  const brush = {
    size: signal(kept.size),
    hardness: signal(kept.hardness),
    opacity: signal(kept.opacity),
    tolerance: signal(kept.tolerance),
    colour: signal(kept.colour),
    tint: signal(kept.tint),
    tintOpacity: signal(kept.tintOpacity),
  };
  const stop = effect(() => {
    const entries = Object.entries(brush).map(([name, { value }]) => [name, value]);
    try {
      storage.setItem(key, JSON.stringify(Object.fromEntries(entries)));
    } catch {
      // No room: the next picture begins with the brush of before.
    }
  });
  return { ...brush, stop };
}

function read(storage: Storage): Choices {
  try {
    const stored = JSON.parse(storage.getItem(key) ?? '{}') as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(first).map(([name, otherwise]) => [
        name,
        typeof stored[name] === typeof otherwise ? stored[name] : otherwise,
      ]),
    ) as Choices;
  } catch {
    return first;
  }
}

/** A brush's size one step up or down: about a sixth, a pixel at least. */
export function resized(size: number, direction: 1 | -1): number {
  const step = Math.max(1, Math.round(size / 6));
  return Math.min(limits.size.max, Math.max(limits.size.min, size + direction * step));
}

/** `#rrggbb` as numbers 0..255. */
export const rgbOf = (hex: string): [number, number, number] => [
  parseInt(hex.slice(1, 3), 16),
  parseInt(hex.slice(3, 5), 16),
  parseInt(hex.slice(5, 7), 16),
];
