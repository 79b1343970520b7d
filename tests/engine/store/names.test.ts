import { describe, expect, it } from 'vitest';
import { nameProblem } from '../../../engine/store/names.ts';

describe('nameProblem', () => {
  it.each(['con', 'NUL.png', 'COM1 .txt', 'aux', 'lpt9.safetensors', 'a:b', 'c:x', 'what?', 'a"b'])(
    'refuses %j on Windows alone',
    (name) => {
      expect(nameProblem(name, 'win32')).toMatch(/Windows/);
      expect(nameProblem(name, 'linux')).toBeUndefined();
      expect(nameProblem(name, 'darwin')).toBeUndefined();
    },
  );

  it.each(['a\nb', 'a\tb', '\0', '...', '. ', 'x'.repeat(256)])('refuses %j everywhere', (name) => {
    expect(nameProblem(name, 'win32')).toBeDefined();
    expect(nameProblem(name, 'linux')).toBeDefined();
  });

  it('counts bytes where the system does', () => {
    expect(nameProblem('日'.repeat(100), 'linux')).toContain('300 bytes');
    expect(nameProblem('日'.repeat(100), 'win32')).toBeUndefined();
    expect(nameProblem('x'.repeat(255), 'linux')).toBeUndefined();
  });
});
