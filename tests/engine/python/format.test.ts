import { describe, expect, it } from 'vitest';
import { format } from '../../../engine/python/format.ts';

const values = {
  a: 5,
  b: -12345678,
  c: 3.14159265,
  d: 'héllo',
  e: true,
  f: null,
  g: [1, 'x', [2.5]],
  h: { k: 'v' },
  i: 0.5,
  j: 1e22,
  k: 1e-7,
  l: -2.5,
  m: 12345.678,
  n: 100.5,
  w: 12,
};

/** What CPython gives. */
const cases = [
  ['{a}', '5'],
  ['{{{a}}}', '{5}'],
  ['{a:05d}', '00005'],
  ['{b:,}', '-12,345,678'],
  ['{b:_}', '-12_345_678'],
  ['{b:+,}', '-12,345,678'],
  ['{a:+}', '+5'],
  ['{a: d}', ' 5'],
  ['{a:x} {a:#b} {b:#X} {b:o}', '5 0b101 -0XBC614E -57060516'],
  ['{b:_x}', '-bc_614e'],
  ['{c:.2f}', '3.14'],
  ['{c:10.3f}|', '     3.142|'],
  ['{c:<10.3f}|', '3.142     |'],
  ['{c:^10.3f}|', '  3.142   |'],
  ['{c:*^+10.3f}|', '**+3.142**|'],
  ['{c:010.3f}', '000003.142'],
  ['{c:e} {c:.3E}', '3.141593e+00 3.142E+00'],
  ['{c:g} {j:g} {k:g} {m:g} {m:.3g} {n:.3g}', '3.14159 1e+22 1e-07 12345.7 1.23e+04 100'],
  ['{c:.3} {m:.3} {n:.3} {i:.3}', '3.14 1.23e+04 1e+02 0.5'],
  ['{i:%} {i:.0%} {c:.1%}', '50.000000% 50% 314.2%'],
  ['{d}', 'héllo'],
  ['{d!r} {d!a} {d!s}', "'héllo' 'h\\xe9llo' héllo"],
  ['{d:>10}|{d:<10}|{d:^10}|{d:-^11}|{d:.3}', '     héllo|héllo     |  héllo   |---héllo---|hél'],
  ['{d:05}', 'héllo'],
  ['{e} {e:d} {e:>6}', 'True 1      1'],
  ['{f} {f!r:>6}', 'None   None'],
  ['{g} {g[1]} {g[2][0]}', "[1, 'x', [2.5]] x 2.5"],
  ['{h} {h[k]}', "{'k': 'v'} v"],
  ['{a:{w}}|{c:{w}.{a}f}', '           5|     3.14159'],
  ['{l:.0f} {i:.0f} {n:.0f} {l:.1f}', '-2 0 100 -2.5'],
  ['{m:,.2f} {m:012,.1f} {b:015,d}', '12,345.68 00,012,345.7 -00,012,345,678'],
  ['{a:f} {a:e} {a:%}', '5.000000 5.000000e+00 500.000000%'],
  ['{a:c}{w:c}|', '\u0005\f|'],
  ['{k} {j} {l}', '1e-07 1e+22 -2.5'],
  ['{k:.10f} {j:.2f}', '0.0000001000 10000000000000000000000.00'],
  ['{a!r:>4}', '   5'],
  ['{m:#.3g} {m:.0e}', '1.23e+04 1e+04'],
  ['{a:04,} {a:05,} {a:08,} {a:09_} {w:010_b}', '0,005 0,005 0,000,005 0_000_005 0_0000_1100'],
  ['{b:=+15}', '-      12345678'],
  ['text without fields', 'text without fields'],
  ['{l:05.1f} {l:+.2f}', '-02.5 -2.50'],
] as const;

describe('str.format', () => {
  it.each(cases)('%s', (text, expected) => {
    expect(format(text, values)).toBe(expected);
  });

  it('groups the digits of the widest field at once', () => {
    expect(format('{a:010000,}', values)).toHaveLength(10_001);
  });

  it.each([
    ['{', 'ValueError'],
    ['}', 'ValueError'],
    ['{a', 'ValueError'],
    ['{}', 'IndexError'],
    ['{0}', 'IndexError'],
    ['{z}', 'KeyError'],
    ['{constructor}', 'KeyError'],
    ['{h[constructor]}', 'KeyError'],
    ['{a.real}', 'ValueError'],
    ['{g[9]}', 'IndexError'],
    ['{a!z}', 'ValueError'],
    ['{a:.2d}', 'ValueError'],
    ['{a:q}', 'ValueError'],
    ['{d:d}', 'ValueError'],
    ['{g:>5}', 'TypeError'],
    ['{a:99999999999}', 'ValueError'],
    ['{a:{w:{w:{w}}}}', 'ValueError'],
  ])('%s is a %s', (text, pythonType) => {
    expect(() => format(text, values)).toThrow(expect.objectContaining({ pythonType }));
  });
});
