import { afterEach, describe, expect, it } from 'vitest';
import { compare } from './area.ts';
import { useDevice } from './device.ts';

afterEach(() => useDevice('cpu'));

describe('golden cases on a device', () => {
  const expected = { data: [3, 4], shape: [2] };
  const off = { data: [3.03, 4.04], shape: [2] };
  const tolerance = { atol: 1e-3, rtol: 1e-3 };

  it('may be off by a share of their size where its precision has one', () => {
    expect(compare('x', off, expected, tolerance)).toMatchObject({ name: 'x', pass: false });
    useDevice('webgpu', 'fp16');
    const { name, maxError, pass } = compare('x', off, expected, tolerance);
    expect([name, pass]).toEqual(['x (of its size)', true]);
    expect(maxError).toBeCloseTo(0.01, 10);
    const wrong = { data: [3.3, 4.4], shape: [2] };
    expect(compare('x', wrong, expected, tolerance).pass).toBe(false);
    const broken = { data: [NaN, 4], shape: [2] };
    expect(compare('x', broken, expected, tolerance).pass).toBe(false);
    // within the case's own tolerance nothing else is asked, and what must be exact must be
    expect(compare('x', expected, expected, tolerance)).toMatchObject({ name: 'x', pass: true });
    expect(compare('x', off, expected, { atol: 0, rtol: 0 }).pass).toBe(false);
  });

  it('keep their own tolerance in full precision', () => {
    useDevice('webgpu', 'fp32');
    expect(compare('x', off, expected, tolerance)).toMatchObject({ name: 'x', pass: false });
  });

  it('need a device that there is, and a precision with a tolerance', () => {
    expect(() => useDevice('toaster')).toThrow("no device 'toaster', there are cpu,");
    expect(() => useDevice('cpu', 'int8')).toThrow(
      'on cpu cases have tolerances in fp32, not in int8',
    );
  });
});
