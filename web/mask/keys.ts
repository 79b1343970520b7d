import { chordOf } from '../commands/chord.ts';
import { resized, type Brush } from './brush.ts';
import type { Painting } from './painting.ts';
import { tools } from './tools.ts';

interface KeyParts {
  readonly painting: Painting;
  readonly brush: Brush;
  readonly choose: (tool: string) => void;
  readonly fit: () => void;
  readonly zoom: (factor: number) => void;
  readonly save: () => void;
}

/** What keys do while a picture is painted, by chord. */
export function createKeys(parts: KeyParts): ReadonlyMap<string, () => void> {
  const { painting, brush, choose, fit, zoom, save } = parts;
  const resize = (direction: 1 | -1) => () => {
    brush.size.value = resized(brush.size.value, direction);
  };
  return new Map<string, () => void>([
    ...tools.map(({ id, key }) => [key, () => choose(id)] as const),
    ['[', resize(-1)],
    [']', resize(1)],
    ['ctrl+z', () => painting.undo()],
    ['ctrl+y', () => painting.redo()],
    ['ctrl+shift+z', () => painting.redo()],
    ['i', () => painting.invert()],
    ['ctrl+i', () => painting.invert()],
    ['delete', () => painting.clear()],
    ['0', fit],
    ['.', fit],
    ['+', () => zoom(1.25)],
    ['shift++', () => zoom(1.25)],
    ['=', () => zoom(1.25)],
    ['-', () => zoom(0.8)],
    ['ctrl+s', save],
    ['ctrl+enter', save],
  ]);
}

/** Starts what a key means; false when it means nothing here. */
export function startKey(keys: ReadonlyMap<string, () => void>, event: KeyboardEvent): boolean {
  const act = keys.get(chordOf(event));
  act?.();
  return act !== undefined;
}
