/** Expected values by CPython 3.11. */
import { describe, expect, it } from 'vitest';
import {
  capitalize,
  length,
  replaceAll,
  slice,
  strip,
  title,
} from '../../../engine/python/string.ts';

describe('Python strings', () => {
  it('counts code points', () => {
    expect(length('e\u0301\u{1f600}')).toBe(3);
    expect(slice('a\u{1f600}bc', 1, -1)).toBe('\u{1f600}b');
    expect(slice('abc', 3, 1)).toBe('');
    expect(replaceAll('a\u{1f600}', '', '-')).toBe('-a-\u{1f600}-');
  });

  it('strips Python’s white space', () => {
    expect(strip('\u3000\u00a0x\u2003\ufeff')).toBe('x\u2003\ufeff');
    expect(strip('\u001c\u001fz\u0085')).toBe('z');
    expect(strip(' a ', 'left')).toBe('a ');
    expect(strip(' a ', 'right')).toBe(' a');
  });

  it('has title case', () => {
    expect(title("they're ΟΔΟΣ stra\u00dfe \u01c6 \u0149 \ufb01n")).toBe(
      "They'Re Οδος Stra\u00dfe \u01c5 \u02bcN Fin",
    );
    expect(capitalize('\u01c6OΣ')).toBe('\u01c5oς');
    expect(title('\u1fb3 \u1fb7')).toBe('\u1fbc \u0391\u0342\u0345');
  });
});
