import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { NoodleError } from '../../../engine/errors.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import type { WeightInitializer } from '../../../engine/onnx/model.ts';
import {
  defaultMemoryBudget,
  estimateMemory,
  workingMemory,
} from '../../../engine/runtime/memory.ts';
import { createPreparedWeights } from '../../../engine/runtime/prepared-weights.ts';
import { cpu, cpuInt8 } from '../../../engine/runtime/providers/cpu.ts';
import { webgpu, webgpuFull } from '../../../engine/runtime/providers/webgpu.ts';
import { providers } from '../../../engine/runtime/providers.ts';
import { type Runtime, createRuntime } from '../../../engine/runtime/runtime.ts';
import { createSessionCache } from '../../../engine/runtime/session-cache.ts';
import type { Session } from '../../../engine/runtime/session.ts';
import { conv2d, linear } from '../../../engine/tensor/layers.ts';
import { add, attention } from '../../../engine/tensor/nn.ts';
import { type Program, trace } from '../../../engine/tensor/trace.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { writeSafetensors } from '../../../engine/weights/write.ts';
import { keysOf } from '../../support/open-sessions.ts';
import { randomSource } from '../../support/random-weights.ts';

const linearProgram = (shape: readonly number[] = [8, 64]): Program =>
  trace('linear', randomSource({ weight: { shape, dtype: 'F16' } }), ({ input, weights }) => ({
    y: linear(weights, input('x', 'f32', ['n', shape[1]])),
  }));
const x = { x: { data: new Float32Array(64).fill(1), shape: [1, 64] } };
/** What a run on x takes beyond the weights: input and result, in plain form and inside the operator. */
const runBytes = 2 * (64 + 8) * 4;
const preparedFiles = (): string[] =>
  [tmpdir(), '/dev/shm']
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder))
    .filter((name) => name.startsWith(`noodle-weights-${process.pid}-`));

describe('runtime', () => {
  it('builds once per key, reopens what was released, shares weights between sessions', async () => {
    const runtime = createRuntime({ threads: 1 });
    const build = vi.fn(() => linearProgram());
    const session = await runtime.session('a', build);
    const { y } = await session.run(x);
    expect((await (await runtime.session('a', build)).run(x)).y).toEqual(y);
    expect(build).toHaveBeenCalledTimes(1);
    expect(runtime.stats().sessions).toEqual([
      { key: 'a', name: 'linear', bytes: 8 * 64 * 4, streamed: 0 },
    ]);
    await runtime.session('b', build);
    await runtime.unloadAll();
    expect(runtime.stats()).toMatchObject({ sessions: [], bytes: 0 });
    expect(preparedFiles()).toEqual([]);
    expect((await session.run(x)).y).toEqual(y);
    await runtime.unloadAll();
  });

  it('keeps to its budget by releasing the least recently used', async () => {
    const runtime = createRuntime({ threads: 1, memoryBudget: 2 * 8 * 64 * 4 + runBytes });
    const a = await runtime.session('a', linearProgram);
    const b = await runtime.session('b', linearProgram);
    await a.run(x);
    await runtime.session('c', linearProgram);
    expect(keysOf(runtime)).toEqual(['a', 'c']);
    await b.run(x);
    expect(runtime.stats().sessions).toHaveLength(2);
    await runtime.unloadAll();
  });

  it('releases idle sessions when a run would not fit beside them', async () => {
    const runtime = createRuntime({ threads: 1, memoryBudget: 2 * 8 * 64 * 4 + 4 * runBytes });
    const rows = (n: number) => ({ x: { data: new Float32Array(64 * n), shape: [n, 64] } });
    await runtime.session('a', linearProgram);
    const b = await runtime.session('b', linearProgram);
    await b.run(rows(4));
    expect(keysOf(runtime)).toEqual(['a', 'b']);
    await b.run(rows(5));
    expect(keysOf(runtime)).toEqual(['b']);
    await b.run(rows(100)); // nothing is left to release: it is tried
    expect(keysOf(runtime)).toEqual(['b']);
    await runtime.unloadAll();
  });

  it('releases idle sessions when prepared weights find no room', async () => {
    const runtime = createRuntime({ threads: 1 });
    const keys = (): string[] => runtime.stats().sessions.map(({ key }) => key);
    await runtime.session('a', linearProgram);
    const full = new NoodleError('FILE_WRITE', { name: 'prepared weights', reason: 'full' });
    const seen: string[][] = [];
    const build = (): Program => {
      if (seen.push(keys()) === 1) throw full;
      return linearProgram();
    };
    await runtime.session('b', build);
    expect(seen).toEqual([['a'], []]);
    const never = (): Program => {
      throw full;
    };
    await runtime.unloadAll();
    await expect(runtime.session('c', never)).rejects.toBe(full);
  });

  it('leaves weights narrow where wide ones exceed the budget, with the same bytes', async () => {
    const tokens = {
      data: Float32Array.from({ length: 3 * 64 }, (_, i) => Math.sin(i)),
      shape: [3, 64],
    };
    const wide = createRuntime({ threads: 1 });
    const log: string[] = [];
    const narrow = createRuntime({
      threads: 1,
      memoryBudget: 8 * 64 * 3,
      log: (level, text) => void (level === 'INFO' && log.push(text)),
    });
    const ask = async (runtime: typeof wide) =>
      (await (await runtime.session('a', linearProgram)).run({ x: tokens })).y;
    expect(await ask(narrow)).toEqual(await ask(wide));
    expect(narrow.stats().bytes).toBe(8 * 64 * 2);
    expect(log).toEqual(['linear: weights stay as they are stored, for memory']);
    await Promise.all([wide.unloadAll(), narrow.unloadAll()]);
  });

  it('leaves weights narrow in models that are large for the provider, which is nothing to tell', async () => {
    const log = vi.fn();
    const provider = { ...providers.cpu, widestBytes: 8 * 64 * 4 - 1 };
    const [plain, large] = [{}, { provider }].map((more) =>
      createRuntime({ threads: 1, log, ...more }),
    );
    const ask = async (runtime: typeof plain) =>
      (await (await runtime.session('a', linearProgram)).run(x)).y;
    expect(await ask(large)).toEqual(await ask(plain));
    expect([plain, large].map((runtime) => runtime.stats().bytes)).toEqual([
      8 * 64 * 4,
      8 * 64 * 2,
    ]);
    expect(log).not.toHaveBeenCalled();
    await Promise.all([plain.unloadAll(), large.unloadAll()]);
  });

  it.each(['F16', 'BF16'] as const)(
    'leaves filters %s in blocks there, with the same results',
    async (dtype) => {
      const build = (): Program =>
        trace('conv', randomSource({ weight: { shape: [32, 16, 3, 3], dtype } }), (g) => ({
          y: conv2d(g.weights, g.input('x', 'f32', ['n', 16, 'h', 'w']), { pad: 1 }),
        }));
      const data = Float32Array.from({ length: 16 * 6 * 5 }, (_, i) => Math.sin(i));
      const ask = async (runtime: Runtime) =>
        (await (await runtime.session('a', build)).run({ x: { data, shape: [1, 16, 6, 5] } })).y;
      const plain = createRuntime({ threads: 1 });
      const large = createRuntime({ threads: 1, provider: { ...providers.cpu, widestBytes: 0 } });
      expect(await ask(large)).toEqual(await ask(plain));
      expect(large.stats().bytes).toBe(plain.stats().bytes / 2);
      await Promise.all([plain.unloadAll(), large.unloadAll()]);
    },
  );

  it('opens one session for callers that come at once', async () => {
    const runtime = createRuntime({ threads: 1 });
    const build = vi.fn(() => linearProgram());
    const sessions = await Promise.all([1, 2, 3].map(() => runtime.session('a', build)));
    await Promise.all(sessions.map((session) => session.run(x)));
    expect(build).toHaveBeenCalledTimes(1);
    await runtime.unloadAll();
  });

  it('tells once which weights a model leaves unread', async () => {
    const log = vi.fn();
    const runtime = createRuntime({ threads: 1, log });
    const build = (): Program =>
      trace('part', randomSource({ weight: [8, 64], extra: [3] }), ({ input, weights }) => ({
        y: linear(weights, input('x', 'f32', ['n', 64])),
      }));
    for (const key of ['a', 'b']) await runtime.session(key, build);
    await runtime.session('c', linearProgram); // reads all it has
    expect(log.mock.calls).toEqual([['DEBUG', 'random: part leaves 1 tensors unread: extra']]);
    await runtime.unloadAll();
  });

  it('passes on what a build throws', async () => {
    const runtime = createRuntime();
    const fail = (): Program => {
      throw new Error('no such family');
    };
    await expect(runtime.session('a', fail)).rejects.toThrow('no such family');
    expect((await (await runtime.session('a', linearProgram)).run(x)).y.shape).toEqual([1, 8]);
    await runtime.unloadAll();
  });
});

describe('session cache', () => {
  const fake = (log: string[], name: string): Session => ({
    run: async () => ({}),
    release: async () => void log.push(name),
  });

  it('releases a running session only after its run', async () => {
    const log: string[] = [];
    const cache = createSessionCache(10);
    let finish = (): void => undefined;
    const open = (name: string) => () => ({ bytes: 8, open: async () => fake(log, name) });
    const running = cache.use('a', open('a'), async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      log.push('ran');
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const other = cache.use('b', open('b'), async () => void log.push('b ran'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log).toEqual([]); // there is no room for it yet
    finish();
    await Promise.all([running, other]);
    expect(log.splice(2)).toEqual(['b ran']);
    expect(log).toEqual(['ran', 'a']);
    await cache.clear();
    expect(log).toEqual(['ran', 'a', 'b']);
  });

  it('opens a session larger than the budget', async () => {
    const log: string[] = [];
    const cache = createSessionCache(10);
    const request = () => ({ bytes: 100, open: async () => fake(log, 'large') });
    await cache.use('a', request, async () => undefined);
    expect(cache.entries()).toEqual([{ key: 'a', bytes: 100, streamed: 0 }]);
    await cache.clear();
    expect(log).toEqual(['large']);
  });

  it('makes room for runs that begin at once together', async () => {
    const log: string[] = [];
    const cache = createSessionCache(10);
    const open = (name: string, working = 0) => ({
      bytes: 2,
      working: () => working,
      open: async () => fake(log, name),
    });
    for (const name of ['idle', 'a', 'b']) await cache.open(name, () => open(name, 3));
    const run = (name: string) =>
      cache.use(
        name,
        () => open(name),
        async () => log.push('ran'),
      );
    await Promise.all([run('a'), run('b')]);
    expect(log).toEqual(['idle', 'ran', 'ran']);
    log.length = 0;
    // What they took is back, also where one failed.
    const failing = cache.use(
      'a',
      () => open('a'),
      () => Promise.reject(new Error('no')),
    );
    await expect(failing).rejects.toThrow('no');
    await cache.open('idle', () => open('idle'));
    await run('a');
    expect(log).toEqual(['ran']);
  });

  it.each([0, 0.5, 107374182.4, Infinity])('takes a budget of %d bytes', async (budget) => {
    const runtime = createRuntime({ threads: 1, memoryBudget: budget });
    const session = await runtime.session('a', linearProgram);
    expect((await session.run(x)).y.shape).toEqual([1, 8]);
    await runtime.unloadAll();
  });
});

describe('prepared weights', () => {
  const weightsOf = (program: Program): WeightInitializer[] =>
    lower(program, { widen: 'weights' }).initializers.filter((i) => 'entry' in i);

  it('are shared by equal weights, gone with the last user', async () => {
    const prepared = createPreparedWeights();
    const weights = weightsOf(linearProgram());
    const [one, two] = [await prepared.acquire(weights), await prepared.acquire(weights)];
    const { path } = one.find(weights[0])!;
    expect(two.find(weights[0])).toEqual({ path, offset: 0 });
    await one.release();
    expect(existsSync(path)).toBe(true);
    await two.release();
    expect(existsSync(path)).toBe(false);
  });

  it('a session with more weights shares those that are there', async () => {
    const prepared = createPreparedWeights();
    const source = randomSource({
      base: { shape: [8, 8], dtype: 'F16' },
      more: { shape: [8, 8], dtype: 'F16' },
    });
    const program = (keys: readonly string[]): Program =>
      trace('sum', source, ({ weights }) => ({
        y: keys.map((key) => weights.param(key)).reduce((a, b) => add(a, b)),
      }));
    const [one, two] = [weightsOf(program(['base'])), weightsOf(program(['base', 'more']))];
    const first = await prepared.acquire(one);
    const second = await prepared.acquire(two);
    expect(second.find(two[0])).toEqual(first.find(one[0]));
    expect(second.find(two[1])!.path).not.toBe(first.find(one[0])!.path);
    await first.release();
    expect(preparedFiles()).toHaveLength(2);
    await second.release();
    expect(preparedFiles()).toEqual([]);
  });

  it('what cannot be prepared leaves nothing behind', async () => {
    const prepared = createPreparedWeights();
    const [weight] = weightsOf(linearProgram());
    const bytes = { kind: 'file', path: '/nowhere', offset: 0, identity: 'x' } as const;
    const broken = { ...weight, entry: { ...weight.entry, bytes } };
    await expect(prepared.acquire([broken])).rejects.toThrow(/nowhere/);
    await expect(prepared.acquire([broken])).rejects.toThrow(/nowhere/);
    expect(preparedFiles()).toEqual([]);
  });

  it('large ones are made by several threads, with the same numbers', async () => {
    const shape = [2050, 4096];
    const codes = new Uint16Array(2050 * 4096).map((_, i) => 0x2c00 + ((i * 7919) & 0x3ff));
    const bytes = new Uint8Array(codes.buffer);
    const tensors = ['a', 'b'].map((key) => [key, { dtype: 'F16', shape, bytes }] as const);
    const path = join(tmpdir(), `noodle-large-${process.pid}.safetensors`);
    await writeSafetensors(path, new Map(tensors));
    onTestFinished(() => rm(path));
    const program = trace('large', await openSafetensors(path), ({ weights }) => ({
      y: add(weights.param('a'), weights.param('b')),
    }));
    const weights = weightsOf(program);
    const files = await createPreparedWeights({ threads: 2 }).acquire(weights);
    const positions = weights.map((weight) => files.find(weight)!);
    const contents = positions.map(({ path }) => readFileSync(path));
    await files.release();
    expect(new Set(positions.map(({ path }) => path)).size).toBe(2);
    for (const data of contents) {
      const values = new Float32Array(data.buffer, data.byteOffset, codes.length);
      for (let i = 0; i < codes.length; i += 997) {
        expect(values[i]).toBe((1 + ((i * 7919) & 0x3ff) / 1024) / 16);
      }
    }
  });
});

it('memory is estimated from the weights as they are used', () => {
  expect(estimateMemory(linearProgram([8, 64]))).toBe(8 * 64 * 4);
  expect(defaultMemoryBudget()).toBeGreaterThan(1e8);
});

test('scores of an attention count where a provider writes them down', () => {
  const program = trace('a', randomSource({}), ({ input }) => {
    const q = input('q', 'f32', ['n', 'tokens', 8]);
    return {
      y: attention(q, input('k', 'f32', ['n', 'text', 8]), input('v', 'f32', ['n', 'text', 8]), {
        heads: 2,
      }),
    };
  });
  const of = (tokens: number) => ({ shape: [3, tokens, 8] });
  const shapes = { q: of(100), k: of(7), v: of(7) };
  const plain = workingMemory(program)(shapes);
  const scores = 3 * 2 * 100 * 7;
  // they, and what softmax makes of them
  expect(workingMemory(program, webgpu)(shapes) - plain).toBe(2 * 2 * scores);
  expect(workingMemory(program, webgpuFull)(shapes) - plain).toBe(2 * 4 * scores);
});

test.each([
  // what lies under the filter twice; once, beside the result twice; less than what all are given; no whole numbers
  [256, 256, 3, 1, 32, 2 * 9 * 256 - 8 * 256],
  [64, 512, 3, 1, 32, 9 * 64 + 8 * 512 - 4 * (64 + 512)],
  [256, 256, 3, 2, 32, 0],
  [16, 16, 3, 1, 32, 0],
])(
  'patches of %i to %i channels count in whole numbers',
  (from, to, kernel, stride, side, each) => {
    const source = randomSource({ 'c.weight': [to, from, kernel, kernel] });
    const program = trace('c', source, ({ input, weights }) => ({
      y: conv2d(weights.at('c'), input('x', 'f32', ['n', from, 'h', 'w']), { pad: 1, stride }),
    }));
    const shapes = { x: { shape: [2, from, side, side] } };
    const [plain, whole] = [cpu, cpuInt8].map((row) => workingMemory(program, row)(shapes));
    expect(whole - plain).toBe(2 * side * side * each);
  },
);
