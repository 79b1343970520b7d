import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createOutbox } from '../../../engine/worker/outbox.ts';
import { sizeOf } from '../../../engine/worker/size-of.ts';

describe('outbox', () => {
  it('keeps the order of what takes time and what does not', async () => {
    const sent: string[] = [];
    const outbox = createOutbox<string>((message) => sent.push(message));
    outbox.put('a');
    expect(sent).toEqual(['a']);
    outbox.put(delay(20, 'slow'));
    outbox.put('b');
    outbox.put(delay(1, 'quick'));
    outbox.put('c');
    expect(sent).toEqual(['a']);
    await outbox.empty();
    expect(sent).toEqual(['a', 'slow', 'b', 'quick', 'c']);
    outbox.put('d');
    expect(sent.at(-1)).toBe('d');
  });

  it('leaves out what could not be made', async () => {
    const sent: string[] = [];
    const outbox = createOutbox<string>((message) => sent.push(message));
    outbox.put(Promise.reject(new Error('no picture')));
    outbox.put('after');
    await outbox.empty();
    expect(sent).toEqual(['after']);
  });
});

describe('sizeOf', () => {
  it('counts arrays once, however often they are reached', () => {
    const data = new Float32Array(1000);
    const value = { samples: { data, shape: [1, 1, 10, 100] }, again: data };
    expect(sizeOf(value)).toBeGreaterThanOrEqual(4000);
    expect(sizeOf(value)).toBeLessThan(4300);
  });

  it('comes to an end with cycles', () => {
    const value: { self?: unknown } = {};
    value.self = value;
    expect(sizeOf(value)).toBe(16);
  });
});
