/** Oracle: the host interpreter, written from the definitions. */
import { describe, expect, it } from 'vitest';
import { type Target, lower } from '../../../engine/onnx/lower.ts';
import { type Provider, providers } from '../../../engine/runtime/providers.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { add, chunk, gelu, mul, silu } from '../../../engine/tensor/nn.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { type Graph, type Program, trace } from '../../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';

const { cpu } = providers;
const narrow: Provider = { ...cpu, widen: 'graph' };
const target: Target = { ...cpu, block: 16 };

const weights = {
  'up.weight': [128, 32],
  'up.bias': [128],
  'down.weight': [32, 64],
  'down.bias': [32],
  'odd.weight': [24, 32],
};
type Build = (g: Graph, x: Tensor) => Tensor;
const program = (build: Build, dtype: 'F8_E4M3' | 'BF16' | 'F16' | 'F32' = 'F16'): Program => {
  const stored = Object.entries(weights).map(([key, shape]) => [key, { shape, dtype }] as const);
  return trace('rows', randomSource(Object.fromEntries(stored)), (g) => ({
    y: build(g, g.input('x', 'f32', ['n', 'l', 32])),
  }));
};
const rows = (n: number, l: number) => ({
  x: { data: randomFloats(n * l * 32, 7), shape: [n, l, 32] },
});

const up: Build = ({ weights }, x) => linear(weights.at('up'), x);
const gated: Build = ({ weights }, x) => {
  const [value, gate] = chunk(linear(weights.at('up'), x), 2, -1);
  return add(x, linear(weights.at('down'), mul(value, gelu(gate))));
};

async function run(of: Program, provider: Provider, inputs: ReturnType<typeof rows>) {
  const session = await openSession(of, { provider, threads: 1 });
  return (await session.run(inputs).finally(() => session.release())).y;
}

const count = (of: Program, op: string, on = target): number =>
  lower(of, on).nodes.filter((node) => node.op === op).length;

describe('linear layers on features in blocks', () => {
  it.each([
    ['wide', cpu, 'F16'],
    ['wide', cpu, 'F32'],
    ['narrow', narrow, 'F16'],
    ['narrow', narrow, 'BF16'],
  ] as const)('give what the definition gives: %s, from %s %s', async (_, provider, dtype) => {
    for (const build of [up, gated]) {
      const of = program(build, dtype);
      const expected = (await interpret(of, rows(2, 7))).y;
      const y = await run(of, provider, rows(2, 7));
      expect(y.shape).toEqual(expected.shape);
      const error = y.data.map((v, i) => Math.abs(v - expected.data[i]));
      expect(Math.max(...error)).toBeLessThan(2e-5);
    }
  });

  it('give a row the same bits whatever rows are beside it', async () => {
    const { x } = rows(1, 77);
    const all = await run(program(up), cpu, { x });
    const alone = { x: { data: x.data.slice(50 * 32, 51 * 32), shape: [1, 1, 32] } };
    expect((await run(program(up), cpu, alone)).data).toEqual(all.data.slice(50 * 128, 51 * 128));
  });

  it('reorder what several read once, and what lies between two of them not at all', () => {
    expect(count(program(gated), 'Conv')).toBe(3); // both halves of the first layer, and the second
    expect(count(program(gated), 'ReorderInput')).toBe(1);
    expect(count(program(gated), 'ReorderOutput')).toBe(1);
  });

  it('are followed only where all that an op reads lies so', () => {
    const mixed = program(({ weights }, x) => silu(mul(linear(weights.at('odd'), x), 2)));
    expect(count(mixed, 'Gemm')).toBe(1); // 24 outputs are no whole blocks
    expect(count(mixed, 'ReorderInput')).toBe(0);
  });

  it('stay plain where the processor has no such convolutions, and where weights are to stay in their file', () => {
    expect(count(program(up), 'Gemm', { ...cpu })).toBe(1);
    const inGraph: Target = { ...target, widen: 'graph' };
    expect(count(program(up), 'Gemm', { ...inGraph, keepStored: true })).toBe(1);
    expect(count(program(up, 'F8_E4M3'), 'Gemm', inGraph)).toBe(1); // would take more bytes
    expect(count(program(up), 'Gemm', inGraph)).toBe(0);
  });
});
