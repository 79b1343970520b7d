import { describe, expect, it } from 'vitest';
import { estimateMemory, weightBytes } from '../../../engine/runtime/memory.ts';
import { partsOf, planParts, sessionOfParts } from '../../../engine/runtime/parts.ts';
import { createPreparedWeights } from '../../../engine/runtime/prepared-weights.ts';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import {
  type Beginning,
  type Session,
  beginSession,
  openSession,
} from '../../../engine/runtime/session.ts';
import { partition } from '../../../engine/tensor/partition.ts';
import type { Program } from '../../../engine/tensor/trace.ts';
import { randomFloats } from '../../support/random-weights.ts';
import { tinyUNet } from '../../support/tiny-unet.ts';

const filled = (shape: readonly number[]) => ({
  data: randomFloats(shape.reduce((n, dim) => n * dim, 1)),
  shape,
});

const inputsFor = (program: Program) => ({
  x: filled([2, 4, 8, 16]),
  timesteps: { data: Float32Array.of(801, 3), shape: [2] },
  cross: filled([
    2,
    5,
    program.inputs.find(({ attrs }) => attrs.name === 'cross')!.shape[2] as number,
  ]),
});

const runWhole = async (
  program: Program,
  provider: Provider = providers.cpu,
): Promise<Awaited<ReturnType<Session['run']>>> => {
  const session = await openSession(program, { threads: 1, provider });
  const result = await session.run(inputsFor(program));
  await session.release();
  return result;
};

describe('a network in parts', () => {
  it('gives the same bytes, each part with its own weights only', async () => {
    const whole = await tinyUNet('sd2');
    const cuts = ['input_blocks.1', 'middle_block'].map((name) => whole.sites.get(name)!);
    const parts = partition(whole, cuts);
    expect(parts).toHaveLength(3);
    const used = parts.map(({ usage }) => new Set(usage.used));
    expect([...used[0]].filter((key) => used[1].has(key) || used[2].has(key))).toEqual([]);
    expect(new Set(parts.flatMap(({ usage }) => usage.used))).toEqual(new Set(whole.usage.used));

    const asked: string[][] = [];
    const prepared = createPreparedWeights();
    const open = parts.map((program) => ({
      program,
      bytes: 0,
      begin: () =>
        beginSession(program, {
          threads: 1,
          prepared: {
            ...prepared,
            acquire: (weights) => {
              asked.push(weights.map(({ name }) => name.replace(/^weights\/|:.*$/g, '')));
              return prepared.acquire(weights);
            },
          },
        }),
    }));
    const session = sessionOfParts(whole, open, { resident: 0, ahead: false });
    const { out } = await session.run(inputsFor(whole));
    await session.release();
    expect(out).toEqual((await runWhole(whole)).out);
    asked.forEach((names, i) => {
      const foreign = names.filter((name) => !used[i].has(name.replace(/\[.*$/, '')));
      expect(foreign).toEqual([]);
    });
  });

  it('runs within a budget below its size', async () => {
    const whole = await tinyUNet('sd2');
    const size = estimateMemory(whole);
    const budget = Math.floor(size * 0.3);
    const runtime = createRuntime({ threads: 1, memoryBudget: budget });
    const opened = await runtime.session('unet', () => whole);
    const first = await opened.run(inputsFor(whole));
    // matrices stay where they are stored, in parts; laid in blocks they differ in the last bits
    const stored: Provider = { ...providers.cpu, keepStored: true };
    expect(first).toEqual(await runWhole(whole, stored));
    const laid = (await runWhole(whole)).out.data;
    const error = laid.map((v, i) => Math.abs(v - first.out.data[i]));
    expect(Math.max(...error)).toBeLessThan(1e-5);
    expect(await opened.run(inputsFor(whole))).toEqual(first);
    const [{ bytes, streamed }] = runtime.stats().sessions;
    expect(streamed).toBeGreaterThan(0);
    expect(streamed).toBeLessThan(size);
    expect(bytes).toBeLessThanOrEqual(budget);
    expect(bytes).toBeGreaterThan(0);
    await runtime.unloadAll();
    expect(runtime.stats().bytes).toBe(0);
  });

  it('has the budget to itself: what was open before leaves, and comes back when it is asked', async () => {
    const network = await tinyUNet('sd2');
    const encoder = await tinyUNet('inpaint9');
    const budget = Math.floor(estimateMemory(network) * 0.3);
    const runtime = createRuntime({ threads: 1, memoryBudget: budget });
    const open = (): string[] => runtime.stats().sessions.map(({ key }) => key);
    const text = await runtime.session('text', () => encoder);
    expect(open()).toEqual(['text']);
    const model = await runtime.session('network', () => network);
    expect(open()).toEqual(['network']);
    const first = await model.run(inputsFor(network));
    const pictures = filled([2, 9, 8, 16]);
    await text.run({ ...inputsFor(encoder), x: pictures });
    expect(open()).toEqual(['text']);
    expect(await model.run(inputsFor(network))).toEqual(first);
    expect(open()).toEqual(['network']);
    await runtime.unloadAll();
  });

  it('is cut at sites into parts of about the size asked for', async () => {
    const whole = await tinyUNet('sd2');
    const bytesOf = weightBytes(whole);
    const size = estimateMemory(whole) / 4;
    const parts = partsOf(whole, size, bytesOf);
    expect(parts.length).toBeGreaterThan(3);
    const sizes = parts.map((part) => estimateMemory(part));
    expect(sizes.reduce((a, b) => a + b)).toBe(estimateMemory(whole));
    expect(partsOf(whole, Infinity, bytesOf)).toHaveLength(1);
  });
});

describe('parts in turn', () => {
  it.each([
    [[4, 4, 4], 12, { resident: 3, ahead: true, bytes: 12, streamed: 0 }],
    [[4, 4, 4], 11, { resident: 0, ahead: true, bytes: 8, streamed: 12 }],
    [[2, 1, 1, 3, 2], 8, { resident: 2, ahead: true, bytes: 8, streamed: 6 }],
    [[2, 1, 6, 3], 9, { resident: 0, ahead: true, bytes: 9, streamed: 12 }],
    [[2, 1, 6, 3], 8, { resident: 1, ahead: false, bytes: 8, streamed: 10 }],
    [[5, 9], 8, { resident: 0, ahead: false, bytes: 9, streamed: 14 }],
  ])('of sizes %j in a budget of %i: %j', (sizes, budget, expected) => {
    const parts = sizes.map((bytes) => ({ bytes }));
    expect(planParts(parts, budget)).toEqual(expected);
  });

  /** Parts that say what is done with them. */
  const telling = (
    parts: readonly Program[],
    log: string[],
    run: (program: Program) => ReturnType<Session['run']>,
  ) =>
    parts.map((program, i) => ({
      program,
      bytes: 1,
      begin: async (): Promise<Beginning> => {
        log.push(`begin ${i}`);
        return {
          open: async () => {
            log.push(`open ${i}`);
            return {
              run: (): ReturnType<Session['run']> => {
                log.push(`run ${i}`);
                return run(program);
              },
              release: async () => void log.push(`release ${i}`),
            };
          },
          cancel: async () => void log.push(`cancel ${i}`),
        };
      },
      forget: async () => void log.push(`forget ${i}`),
    }));
  const ones = async ({ outputs }: Program): ReturnType<Session['run']> =>
    Object.fromEntries(Object.keys(outputs).map((name) => [name, filled([1])]));

  it('are open one at a time, but for those that stay and the one that is begun', async () => {
    const whole = await tinyUNet('sd2');
    const cuts = ['input_blocks.1', 'middle_block'].map((name) => whole.sites.get(name)!);
    for (const [ahead, streamed] of [
      [false, 'run 0, begin 1, open 1, run 1, release 1, begin 2, open 2, run 2, release 2'],
      [true, 'begin 1, run 0, open 1, begin 2, run 1, release 1, open 2, run 2, release 2'],
    ] as const) {
      const log: string[] = [];
      const session = sessionOfParts(whole, telling(partition(whole, cuts), log, ones), {
        resident: 1,
        ahead,
      });
      const inputs = inputsFor(whole);
      await Promise.all([session.run(inputs), session.run(inputs)]);
      await session.release();
      const forgotten = 'release 0, forget 0, forget 1, forget 2';
      expect(log.join(', ')).toBe(`begin 0, open 0, ${streamed}, ${streamed}, ${forgotten}`);
    }
  });

  it('release what they opened and began when one of them fails', async () => {
    const whole = await tinyUNet('sd2');
    const log: string[] = [];
    const cut = partition(whole, [whole.sites.get('middle_block')!]);
    const parts = telling(cut, log, () => Promise.reject(new Error('broken')));
    const session = sessionOfParts(whole, parts, { resident: 0, ahead: true });
    await expect(session.run(inputsFor(whole))).rejects.toThrow('broken');
    expect(log.join(', ')).toBe('begin 0, open 0, begin 1, run 0, release 0, cancel 1');
    await expect(session.run({ ...inputsFor(whole), x: filled([1]) })).rejects.toThrow("input 'x'");
  });
});
