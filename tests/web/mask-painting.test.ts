/** The mask editor's painting, in numbers. */
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { beginEdit, coloured, faded, inverted, towards } from '../../web/mask/edit.ts';
import { isOpaque } from '../../web/mask/files.ts';
import { createHistory } from '../../web/mask/history.ts';
import { createLayer, type Layer } from '../../web/mask/layer.ts';
import {
  everything,
  flood,
  polygon,
  rectangle,
  segment,
  type Shape,
} from '../../web/mask/shapes.ts';

const grey = (channels: 3 | 4) => ({
  create: { width: 16, height: 16, channels, background: { r: 90, g: 90, b: 90, alpha: 0.5 } },
});

/** Rows of a small layer as text: '.' nothing, '#' all, digits tenths in between. */
const drawn = ({ width, height, data }: Layer): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const value = data[y * width + x];
      return value === 0 ? '.' : value === 255 ? '#' : String(Math.floor((value / 255) * 10));
    }).join(''),
  );

function painted(layer: Layer, shape: Shape, value = 255): Layer {
  const edit = beginEdit(layer, towards(value));
  edit.paint(shape);
  edit.done();
  return layer;
}

describe('shapes', () => {
  test('a hard stroke is a capsule', () => {
    const stroke = segment({ x: 2.5, y: 2.5, radius: 1 }, { x: 6.5, y: 2.5, radius: 1 }, 1);
    expect(drawn(painted(createLayer(9, 5, 1), stroke))).toEqual([
      '.........',
      '.0555550.',
      '.5#####5.',
      '.0555550.',
      '.........',
    ]);
  });

  test('a rectangle, whichever corner it begins at', () => {
    const expected = ['....', '.##.', '.##.', '....'];
    expect(drawn(painted(createLayer(4, 4, 1), rectangle(3, 3, 1, 1)))).toEqual(expected);
    expect(drawn(painted(createLayer(4, 4, 1), rectangle(0.6, 1.2, 3.4, 2.9)))).toEqual(expected);
  });

  test('an outline that crosses itself', () => {
    const bow = polygon([
      [0, 0],
      [6, 6],
      [6, 0],
      [0, 6],
    ]);
    expect(drawn(painted(createLayer(6, 6, 1), bow))).toEqual([
      '.....#',
      '#...##',
      '##.###',
      '##.###',
      '#...##',
      '.....#',
    ]);
  });

  test('what hangs together is filled, across turns', () => {
    const walls = createLayer(7, 5, 1);
    for (const [x, y] of [
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
      [3, 4],
      [3, 3],
      [3, 2],
      [3, 1],
      [5, 0],
      [5, 1],
      [5, 2],
      [5, 3],
      [5, 4],
    ]) {
      walls.data[y * 7 + x] = 255;
    }
    expect(drawn(painted(createLayer(7, 5, 1), flood(walls, 0, 0, 10)))).toEqual([
      '#.###..',
      '#.#.#..',
      '#.#.#..',
      '#.#.#..',
      '###.#..',
    ]);
  });

  test('colours that are near enough count as one', () => {
    const row = createLayer(4, 1, 4);
    row.data.set([10, 0, 0, 255, 20, 0, 0, 255, 40, 0, 0, 255, 20, 0, 0, 255]);
    expect(drawn(painted(createLayer(4, 1, 1), flood(row, 0, 0, 10)))).toEqual(['##..']);
  });
});

describe('edits', () => {
  test('a stroke that crosses itself is no stronger there', () => {
    const layer = createLayer(300, 4, 1);
    const edit = beginEdit(layer, towards(255), 0.5);
    edit.paint(rectangle(0, 0, 300, 2));
    edit.paint(rectangle(0, 1, 300, 4));
    expect([...new Set(layer.data)]).toEqual([128]);
  });

  test('every step can be taken back and done again, over tiles', () => {
    const layer = createLayer(600, 300, 1);
    const history = createHistory();
    const states = [Buffer.from(layer.data)];
    for (const shape of [
      rectangle(10, 10, 590, 290),
      segment({ x: 0, y: 0, radius: 40 }, { x: 599, y: 299, radius: 9 }, 0.5),
    ]) {
      const edit = beginEdit(layer, towards(states.length === 1 ? 255 : 0));
      edit.paint(shape);
      history.add(edit.done());
      states.push(Buffer.from(layer.data));
    }
    history.undo();
    expect(states[1].equals(Buffer.from(layer.data))).toBe(true);
    history.undo();
    expect(states[0].equals(Buffer.from(layer.data))).toBe(true);
    expect(history.undo()).toBeNull();
    history.redo();
    history.redo();
    expect(states[2].equals(Buffer.from(layer.data))).toBe(true);
    expect(history.canRedo).toBe(false);
  });

  test('the oldest steps go when memory is short, the last one stays', () => {
    const layer = createLayer(256, 256, 1);
    const history = createHistory(100_000);
    for (const blend of [inverted, inverted, inverted]) {
      const edit = beginEdit(layer, blend);
      edit.paint(everything(layer));
      history.add(edit.done());
    }
    expect(history.undo()).not.toBeNull();
    expect(history.undo()).toBeNull();
    expect(layer.data.every((v) => v === 0)).toBe(true);
  });

  test('paint lies over paint, and is taken away', () => {
    const layer = createLayer(1, 1, 4);
    const paint = (blend: Parameters<typeof beginEdit>[1], opacity: number): void => {
      const edit = beginEdit(layer, blend, opacity);
      edit.paint(everything(layer));
      edit.done();
    };
    paint(coloured([200, 100, 0]), 0.5);
    expect([...layer.data]).toEqual([200, 100, 0, 128]);
    paint(coloured([0, 0, 200]), 0.5);
    // 0.5 of blue over what is left of the half-covered orange.
    expect([...layer.data]).toEqual([67, 33, 133, 192]);
    paint(faded, 0.5);
    expect([...layer.data]).toEqual([67, 33, 133, 96]);
  });
});

test.each([
  ['a JPEG', sharp(grey(3)).jpeg(), true],
  ['a PNG of colours', sharp(grey(3)).png(), true],
  ['a PNG with alpha', sharp(grey(4)).png(), false],
  ['a WebP', sharp(grey(3)).webp(), false],
])('%s is opaque for sure: %#', async (_name, picture, expected) => {
  expect(isOpaque(await picture.toBuffer())).toBe(expected);
});
