/** Oracle: the host interpreter (engine/tensor/interpret.ts), written from the definitions. */
import { copyFile, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../engine/runtime/session.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { conv2d, groupNorm, linear } from '../../../engine/tensor/layers.ts';
import { add, expand, matmul, rearrange, silu } from '../../../engine/tensor/nn.ts';
import { type Graph, type Program, trace } from '../../../engine/tensor/trace.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { mergeSources, rowsOf, transposedEntry } from '../../../engine/weights/source.ts';
import { writeSafetensors } from '../../../engine/weights/write.ts';
import { randomFloats, randomTensors } from '../../support/random-weights.ts';

const nativeCodeLoaded = (): boolean => {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return report.sharedObjects.some((path) => path.includes('onnxruntime'));
};

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'noodle-session-'));
});
afterAll(() => rm(dir, { recursive: true }));

const dtypes = ['F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2'] as const;

/** A file of weights in one storage type, traced into a small network. */
async function networkOf(
  dtype: (typeof dtypes)[number],
  name: string = dtype,
): Promise<{ program: Program; path: string }> {
  const path = join(dir, `${name}.safetensors`);
  const shapes = {
    'conv.weight': [16, 16, 3, 3],
    'conv.bias': [16],
    'norm.weight': [16],
    'norm.bias': [16],
    'proj.weight': [8, 16],
    'proj.bias': [8],
  };
  const typed = Object.entries(shapes).map(([key, shape]) => [key, { shape, dtype }] as const);
  await writeSafetensors(path, randomTensors(Object.fromEntries(typed)));
  return { program: trace(name, await openSafetensors(path), network), path };
}

function network({ input, weights: w }: Graph) {
  const x = input('x', 'f32', ['batch', 16, 'height', 'width']);
  const h = silu(groupNorm(w.at('norm'), conv2d(w.at('conv'), x, { pad: 1 }), { groups: 4 }));
  return { y: linear(w.at('proj'), rearrange(add(x, h), 'b c h w -> b (h w) c')) };
}

const picture = (b: number, h: number, w: number) => ({
  x: { data: randomFloats(b * 16 * h * w), shape: [b, 16, h, w] },
});

async function expectAgreement(program: Program, inputs: ReturnType<typeof picture>) {
  const session = await openSession(program, { threads: 1 });
  const [{ y }, expected] = [await session.run(inputs), await interpret(program, inputs)];
  await session.release();
  expect(y.shape).toEqual(expected.y.shape);
  const error = Math.max(...y.data.map((value, i) => Math.abs(value - expected.y.data[i])));
  expect(error).toBeLessThan(2e-5);
}

it('loads no native code before the first session opens', async () => {
  await import('../../../engine/runtime/runtime.ts');
  expect(nativeCodeLoaded()).toBe(false);
  const { program } = await networkOf('F32');
  await (await openSession(program)).release();
  expect(nativeCodeLoaded()).toBe(true);
});

describe('weights in the user’s file', () => {
  it.each(dtypes)('%s', async (dtype) => {
    await expectAgreement((await networkOf(dtype)).program, picture(1, 4, 5));
  });

  it('one session serves every size', async () => {
    const { program } = await networkOf('F16', 'sizes');
    const session = await openSession(program, { threads: 1 });
    for (const inputs of [picture(1, 3, 3), picture(2, 7, 4), picture(3, 1, 9)]) {
      const [{ y }, expected] = [await session.run(inputs), await interpret(program, inputs)];
      expect(y.shape).toEqual(expected.y.shape);
      y.data.forEach((value, i) => expect(value).toBeCloseTo(expected.y.data[i], 4));
    }
    await session.release();
  });

  it('views of a fused and a transposed tensor, from two files', async () => {
    const paths = [join(dir, 'fused'), join(dir, 'folder-of-its-own')];
    await writeSafetensors(paths[0], randomTensors({ qkv: { shape: [24, 16], dtype: 'F16' } }));
    await writeSafetensors(paths[1], randomTensors({ bias: [8], swapped: [16, 8] }));
    const source = mergeSources(
      await Promise.all(paths.map(async (path) => await openSafetensors(path))),
    );
    const tensors = new Map([
      ['k.weight', rowsOf(source.tensors.get('qkv')!, 8, 16)],
      ['k.bias', source.tensors.get('bias')!],
      ['s.weight', transposedEntry(source.tensors.get('swapped')!)],
    ]);
    const program = trace('views', { ...source, tensors }, ({ input, weights }) => {
      const x = rearrange(input('x', 'f32', ['batch', 16, 'h', 'w']), 'b c h w -> b (h w) c');
      return { y: add(linear(weights.at('k'), x), linear(weights.at('s'), x)) };
    });
    await expectAgreement(program, picture(2, 2, 3));
  });
});

describe('files that are not what they were', () => {
  const changed = { code: 'WEIGHTS_CHANGED' };

  it('cut short, replaced or gone before opening', async () => {
    const { program, path } = await networkOf('F16', 'cut');
    const whole = await readFile(path);
    await truncate(path, 200);
    await expect(openSession(program)).rejects.toMatchObject(changed);
    await writeFile(`${path}.new`, whole);
    await rename(`${path}.new`, path);
    await expect(openSession(program)).rejects.toMatchObject(changed);
    await rm(path);
    await expect(openSession(program)).rejects.toMatchObject(changed);
  });

  it('rewritten in place while a session maps it; a replaced file keeps its old bytes', async () => {
    const { program, path } = await networkOf('F32', 'mapped');
    const copy = join(dir, 'copy');
    await copyFile(path, copy);
    const session = await openSession(program, { threads: 1 });
    const before = await session.run(picture(1, 2, 2));
    await rename(copy, path);
    expect(await session.run(picture(1, 2, 2))).toEqual(before);
    await session.release();

    const again = await networkOf('F32', 'rewritten');
    const open = await openSession(again.program, { threads: 1 });
    await truncate(again.path, 100);
    await expect(open.run(picture(1, 2, 2))).rejects.toMatchObject(changed);
    await open.release();
  });
});

describe('what callers can do wrong', () => {
  it('missing and misshapen inputs', async () => {
    const { program } = await networkOf('F32', 'inputs');
    const session = await openSession(program, { threads: 1 });
    await expect(session.run({})).rejects.toThrow(/input 'x': expected a tensor, got none/);
    const wrong = { x: { data: new Float32Array(15), shape: [1, 15, 1, 1] } };
    await expect(session.run(wrong)).rejects.toThrow(
      /input 'x': expected \[1, 16, 1, 1\], got \[1, 15, 1, 1\]/,
    );
    const short = { x: { data: new Float32Array(15), shape: [1, 16, 1, 1] } };
    await expect(session.run(short)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await session.release();
  });

  it('stops before a run when the signal was aborted', async () => {
    const { program } = await networkOf('F32', 'aborted');
    const session = await openSession(program, { threads: 1 });
    const run = session.run(picture(1, 2, 2), { signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await session.release();
  });

  it('hears what came during a native run before the next one', async () => {
    const none = { label: '', identity: '', tensors: new Map() };
    const program = trace('busy', none, ({ input }) => {
      const x = input('x', 'f32', ['n', 'n']);
      return { y: matmul(matmul(x, x), x) };
    });
    const session = await openSession(program, { threads: 1 });
    const size = 512;
    const inputs = { x: { data: new Float32Array(size * size), shape: [size, size] } };
    const interrupt = new AbortController();
    const options = { signal: interrupt.signal };
    // as an order to stop comes from another process: it is there before the native run is over
    const { port1, port2 } = new MessageChannel();
    port2.on('message', () => interrupt.abort());
    const second = session.run(inputs, options).then(() => session.run(inputs, options));
    setImmediate(() => port1.postMessage('stop'));
    await expect(second).rejects.toMatchObject({ code: 'INTERRUPTED' });
    port1.close();
    await session.release();
  });

  it('more memory than there is gives ComfyUI’s advice, and the session survives', async () => {
    const { program: base } = await networkOf('F32', 'memory');
    const program = trace('huge', { label: '', identity: '', tensors: new Map() }, ({ input }) => {
      const x = input('x', 'f32', ['n', 1]);
      return { y: add(expand(x, [x.shape[0], 2 ** 40]), 1) };
    });
    const session = await openSession(program, { threads: 1 });
    const run = session.run({ x: { data: new Float32Array(1000), shape: [1000, 1] } });
    await expect(run).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    await expect(run).rejects.toThrow(/batch_size/);
    await session.release();
    await expectAgreement(base, picture(1, 2, 2));
  });
});
