import { describe, expect, test } from 'vitest';
import { evaluate } from '../../web/graph/arithmetic.ts';
import type { NodeInfo } from '../../web/api/types.ts';
import { badgeText } from '../../web/graph/badges.ts';
import { inputSpec } from '../../web/graph/input-spec.ts';
import { addInt, clampInt, snapInt, toInt } from '../../web/graph/integer.ts';
import { adjustEmphasis } from '../../web/prompt-text/emphasis.ts';
import { draggedBox, readBox } from '../../web/graph/widgets/box-shape.ts';
import { hexNumber } from '../../web/graph/widgets/color.ts';
import { readHex } from '../../web/graph/widgets/hex.ts';
import { curveFunction, readCurve } from '../../web/graph/widgets/curve-shape.ts';
import { drawField } from '../../web/graph/widgets/draw-field.ts';
import { gridFor } from '../../web/graph/widgets/picture-grid.ts';
import { completionAt } from '../../web/prompt-text/completion.ts';
import { toggleComment } from '../../web/prompt-text/comment.ts';
import { constrain, numberLimits } from '../../web/graph/widgets/number.ts';
import { nextNumber } from '../../web/graph/widgets/seed-control.ts';

const maxSeed = 18446744073709551615n;

test.each([
  [{ id: 'None', source: 'Hide built-in' }, '', 'my-pack'],
  [{ id: 'Show all', source: 'None' }, '#7', '#7'],
  [{ id: 'Show all', source: 'Show all' }, '#7 Core', '#7 my-pack'],
  [{ id: 'None', source: 'None' }, '', ''],
])('marks of nodes by %j', (modes, ofCore, ofPack) => {
  const from = (python_module: string) => ({ id: 7, info: { python_module } as NodeInfo });
  expect(badgeText(from('comfy_extras.nodes_mask'), modes)).toBe(ofCore);
  expect(badgeText(from('custom_nodes.my-pack.nodes'), modes)).toBe(ofPack);
});

describe('integers', () => {
  test.each([
    ['18446744073709551615', maxSeed],
    ['42', 42],
    [' -7 ', -7],
    ['1.5', null],
    ['abc', null],
    [9007199254740993n, 9007199254740993n],
    [9007199254740991n, 9007199254740991],
  ])('toInt(%s) = %s', (input, expected) => {
    expect(toInt(input)).toBe(expected);
  });

  test('adding across 2^53 loses nothing', () => {
    expect(addInt(9007199254740991, 2)).toBe(9007199254740993n);
    expect(addInt(9007199254740993n, -2)).toBe(9007199254740991);
  });

  test.each([
    [517, 8, 16, 520],
    [515, 8, 16, 512],
    [515, 8, null, 512],
    [7, 2, 1, 7],
  ])('snapInt(%s, step %s, min %s) = %s', (value, step, min, expected) => {
    expect(snapInt(value, step, min)).toBe(expected);
  });

  test('bounds may be bigger than a number holds', () => {
    expect(clampInt(maxSeed + 5n, 0, maxSeed)).toBe(maxSeed);
  });
});

describe('number fields', () => {
  const cfg = numberLimits(
    inputSpec('cfg', ['FLOAT', { min: 0, max: 100, step: 0.1, round: 0.01 }], true),
  );
  const width = numberLimits(inputSpec('width', ['INT', { min: 16, max: 16384, step: 8 }], true));

  test('a float is rounded as its input says', () => {
    expect(constrain(4.256, cfg)).toBe(4.26);
    expect(constrain(1000, cfg)).toBe(100);
    expect(cfg.precision).toBe(2);
  });

  test('an integer snaps to its step', () => {
    expect(constrain(517, width)).toBe(520);
    expect(constrain(3, width)).toBe(16);
  });

  test.each([
    ['512*1.5', 768],
    ['(1+2)*-3', -9],
    ['1,5', 1.5],
    ['1e3', 1000],
    ['2**3', null],
    ['alert(1)', null],
    ['', null],
    ['1/0', null],
  ])('typed %s gives %s', (text, expected) => {
    expect(evaluate(text)).toBe(expected);
  });
});

describe('control after generate', () => {
  const limits = numberLimits(inputSpec('seed', ['INT', { min: 0, max: maxSeed }], true));

  test.each([
    ['fixed', 5, 5],
    ['increment', 9007199254740991, 9007199254740992n],
    ['decrement', 0, 0],
    ['increment', maxSeed, maxSeed],
  ] as const)('%s of %s is %s', (mode, value, expected) => {
    expect(nextNumber(value, mode, limits, () => 0.5)).toBe(expected);
  });

  test('random seeds stay below 2^50, as ComfyUI draws them', () => {
    const seed = nextNumber(0, 'randomize', limits, () => 0.999999);
    expect(Number(seed)).toBeLessThan(2 ** 50);
    expect(Number.isSafeInteger(seed)).toBe(true);
  });
});

describe('prompt weights', () => {
  test.each([
    ['a red circle', 3, 3, 1, 'a (red:1.05) circle'],
    ['a (red:1.05) circle', 4, 4, -1, 'a red circle'],
    ['a (red:1.2) circle', 4, 6, 1, 'a (red:1.25) circle'],
    ['a red circle', 2, 12, -1, 'a (red circle:0.95)'],
    ['a embedding:easy, b', 14, 14, 1, 'a (embedding:easy:1.05), b'],
    ['a <lora:ink:0.8> b', 5, 5, 1, 'a <lora:ink:0.85> b'],
    ['a <lora:ink:0> b', 5, 5, -1, 'a <lora:ink:-0.05> b'],
  ] as const)('%s', (text, start, end, direction, expected) => {
    expect(adjustEmphasis(text, start, end, direction).text).toBe(expected);
  });
});

describe('suggestions', () => {
  const known = {
    embeddings: ['easynegative', 'sub/bad-hands', 'hard'],
    loras: ['ink-style', 'styles/pink'],
    words: ['easy chair', 'masterpiece'],
  };
  const at = (typed: string) => {
    const found = completionAt(typed, typed.length, known);
    return found && [typed.slice(found.from), found.asked, found.suggestions.map((s) => s.text)];
  };

  test.each([
    [
      'a cat, embedding:',
      ['embedding:', true, ['embedding:hard', 'embedding:easynegative', 'embedding:sub/bad-hands']],
    ],
    ['(embedding:HAND', ['embedding:HAND', true, ['embedding:sub/bad-hands']]],
    ['<lora:ink', ['<lora:ink', true, ['<lora:ink-style:1>', '<lora:styles/pink:1>']]],
    ['a easy', ['easy', false, ['embedding:easynegative', 'easy chair']]],
    ['a ea', null],
    ['masterpiece', null],
    ['a cat', null],
  ])('%s', (typed, expected) => {
    expect(at(typed)).toEqual(expected);
  });
});

test.each([
  ['one\ntwo\nthree', 5, 5, 'one\n// two\nthree', 8, 8],
  ['one\n// two\nthree', 8, 8, 'one\ntwo\nthree', 5, 5],
  ['one\ntwo', 0, 7, '// one\n// two', 3, 13],
  ['// one\n\n//two', 0, 13, 'one\n\ntwo', 0, 8],
])('comment of %j', (text, start, end, expected, newStart, newEnd) => {
  expect(toggleComment(text, start, end)).toEqual({ text: expected, start: newStart, end: newEnd });
});

test.each([
  ['#abc', '#aabbcc'],
  ['A1B2C3', '#a1b2c3'],
  ['#12345', null],
  ['red', null],
])('the colour %s is %s', (typed, expected) => {
  expect(readHex(typed)).toBe(expected);
});

test('a colour stored as a number', () => {
  expect(hexNumber.toHex(0x0a0b0c)).toBe('#0a0b0c');
  expect(hexNumber.fromHex('#ff8000')).toBe(16744448);
});

describe('curves', () => {
  const curve = (points: readonly (readonly [number, number])[], interpolation?: string) =>
    curveFunction(readCurve({ points, interpolation }));

  test('go through their points and are level outside', () => {
    const at = curve([
      [0.8, 0.9],
      [0.2, 0.1],
    ]);
    expect([0, 0.2, 0.5, 0.8, 1].map((x) => Number(at(x).toFixed(6)))).toEqual([
      0.1, 0.1, 0.5, 0.9, 0.9,
    ]);
  });

  test('never swing beyond their points', () => {
    const at = curve([
      [0, 0],
      [0.4, 0.05],
      [0.5, 0.95],
      [1, 1],
    ]);
    let last = 0;
    for (let x = 0; x <= 1; x += 0.01) {
      expect(at(x)).toBeGreaterThanOrEqual(last - 1e-12);
      last = at(x);
    }
    expect(last).toBeLessThanOrEqual(1);
  });

  test('what is no curve is a straight line', () => {
    for (const value of ['', null, { points: [[0, 'x']] }, 7]) {
      expect(curveFunction(readCurve(value))(0.3)).toBeCloseTo(0.3);
    }
  });
});

describe('boxes', () => {
  const box = { x: 10, y: 20, width: 30, height: 40 };
  const size = { width: 100, height: 100 };

  test.each([
    ['all', [500, -500], { ...box, x: 70, y: 0 }],
    [{ right: true, bottom: true }, [5, 500], { ...box, width: 35, height: 80 }],
    [{ right: false, bottom: false }, [-3.4, 100], { x: 7, y: 59, width: 33, height: 1 }],
  ] as const)('held at %j and dragged by %j', (hold, by, expected) => {
    expect(draggedBox(box, hold, by, size)).toEqual(expected);
  });

  test('what is no box is one all the same', () => {
    expect(readBox('')).toEqual({ x: 0, y: 0, width: 1, height: 1 });
    expect(readBox({ x: -4, y: 2.6, width: '9', height: null })).toEqual({
      x: 0,
      y: 3,
      width: 9,
      height: 1,
    });
  });
});

describe('fields in one line', () => {
  /** What is written when every letter is six units wide. */
  const written = (label: string, value: string, width: number): string[] => {
    const texts: string[] = [];
    const ctx = new Proxy(
      {
        font: 'six',
        measureText: (text: string) => ({ width: 6 * text.length }),
        fillText: (text: string) => texts.push(text),
      },
      {
        get: (target, key): unknown => Reflect.get(target, key) ?? (() => undefined),
        set: () => true,
      },
    );
    const arrows = { left: true, right: true };
    drawField(ctx as unknown as CanvasRenderingContext2D, { width, y: 0, label, value, arrows });
    return texts;
  };

  test('a label stays beside the name of a file, which is cut in its middle', () => {
    const [label, value] = written(
      'Ckpt name',
      'sd15/a-very-long-name-of-a-model-v2.safetensors',
      225,
    );
    expect(label).toBe('Ckpt name');
    expect(value).toMatch(/^sd15\/.+….*ensors$/);
  });

  test('the control of a seed fits a node as wide as it is first', () => {
    expect(written('After generate', 'randomize', 225)).toEqual(['After generate', 'randomize']);
  });
});

test.each([
  [1, 300, 300, { columns: 1, rows: 1 }],
  [4, 300, 300, { columns: 2, rows: 2 }],
  [3, 900, 300, { columns: 3, rows: 1 }],
])('a grid for %s pictures in %s × %s', (count, width, height, expected) => {
  expect(gridFor(count, width, height, 1)).toEqual(expected);
});
