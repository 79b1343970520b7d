import { describe, expect, it } from 'vitest';
import { conv2d, linear } from '../../../engine/tensor/layers.ts';
import { type Weights, openWeights } from '../../../engine/tensor/cursor.ts';
import { type HostInput, interpret } from '../../../engine/tensor/interpret.ts';
import { add, conv, input, linear as apply, mul, reshape } from '../../../engine/tensor/nn.ts';
import type { Patch } from '../../../engine/tensor/patch.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { randomSource } from '../../support/random-weights.ts';

const source = randomSource({
  'block.0.weight': [6, 4],
  'block.0.bias': [6],
  'block.1.weight': [6, 6],
  'conv.weight': [6, 4, 3, 3],
  'conv.bias': [6],
});

/** Two linear layers as a named part, and one after another part. */
function network(w: Weights, x: Tensor): Tensor {
  const block = w.at('block');
  const h = block.site({ h: x }, ({ h }) => linear(block.at('0'), h));
  return w.at('tail').site({ h }, ({ h }) => linear(block.at('1'), h));
}

const x: HostInput = { shape: [2, 4], data: [0.1, -0.4, 0.3, 1.2, -0.9, 0.5, 0.7, -0.2] };

async function run(
  patches: readonly Patch[],
  feeds: Readonly<Record<string, HostInput>> = {},
  build: (w: Weights, x: Tensor) => Tensor = network,
): Promise<number[]> {
  const program = trace('t', openWeights(source, patches), (g) => ({
    y: build(g.weights, g.input('x', 'f32', ['batch', 4])),
  }));
  return Array.from((await interpret(program, { x, ...feeds })).y.data);
}

const close = (got: readonly number[], expected: readonly number[]): void => {
  expect(got.length).toBe(expected.length);
  got.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6));
};

describe('sites', () => {
  it('leave the network as it is without patches, and are told by name', async () => {
    const seen: string[] = [];
    const look: Patch = { identity: 'look', at: ({ name }) => void seen.push(name) };
    close(await run([look]), await run([]));
    expect(seen).toEqual(['block', 'tail']);
    const { sites, outputs } = trace('t', source, (g) => ({
      y: network(g.weights, g.input('x', 'f32', ['batch', 4])),
    }));
    expect([...sites.keys()]).toEqual(['block', 'tail']);
    expect(sites.get('tail')).toBe(outputs.y);
  });

  it('pass through patches in order, each around those before it', async () => {
    const at = (name: string, f: (out: Tensor) => Tensor): Patch => ({
      identity: name,
      at: ({ name: site, inputs, run: inner }) => (site === 'tail' ? f(inner(inputs)) : undefined),
    });
    const plain = await run([]);
    const patched = await run([at('plus', (y) => add(y, 1)), at('twice', (y) => mul(y, 2))]);
    close(
      patched,
      plain.map((value) => (value + 1) * 2),
    );
  });

  it('may be left out, or run on other inputs', async () => {
    const skip: Patch = {
      identity: 'skip',
      at: ({ name, inputs }) => (name === 'tail' ? inputs.h : undefined),
    };
    close(await run([skip]), await run([], {}, (w, h) => linear(w.at('block.0'), h)));
    const doubled: Patch = {
      identity: 'double',
      at: ({ name, inputs, run: inner }) =>
        name === 'block' ? inner({ h: mul(inputs.h, 2) }) : undefined,
    };
    close(await run([doubled]), await run([], {}, (w, h) => network(w, mul(h, 2))));
  });
});

describe('changes at a layer', () => {
  const up: HostInput = { shape: [6, 2], data: Array.from({ length: 12 }, (_, i) => i / 7 - 0.8) };
  const strength: HostInput = { shape: [2], data: [0.5, -2] };
  const down: HostInput = { shape: [2, 4], data: Array.from({ length: 8 }, (_, i) => 0.9 - i / 3) };

  it('adds what runs beside the weight, row by row', async () => {
    const batch = trace('shape', source, (g) => ({ y: g.input('x', 'f32', ['batch', 4]) }))
      .inputs[0].shape[0];
    const patch: Patch = {
      identity: 'low rank',
      keys: new Set(['block.0.weight']),
      beside: ({ run: layer }) => {
        const change = apply(layer(input('down', 'f32', [2, 4])), input('up', 'f32', [6, 2]));
        return mul(change, reshape(input('strength', 'f32', [batch]), [batch, 1]));
      },
    };
    const only = (w: Weights, h: Tensor): Tensor => linear(w.at('block.0'), h);
    const patched = await run([patch], { up, down, strength }, only);
    const plain = await run([], {}, only);
    const product = (row: number, out: number): number => {
      let sum = 0;
      for (let r = 0; r < 2; r++) {
        for (let i = 0; i < 4; i++) {
          sum += up.data[out * 2 + r] * down.data[r * 4 + i] * x.data[row * 4 + i];
        }
      }
      return sum;
    };
    close(
      patched,
      plain.map(
        (value, i) => value + strength.data[Math.floor(i / 6)] * product(Math.floor(i / 6), i % 6),
      ),
    );
  });

  it('runs a convolution’s own strides on another weight', async () => {
    const picture: HostInput = {
      shape: [1, 4, 5, 5],
      data: Array.from({ length: 100 }, (_, i) => Math.sin(i)),
    };
    const patch: Patch = {
      identity: 'conv',
      keys: new Set(['conv.weight']),
      beside: ({ run: layer, shape }) => {
        expect(shape).toEqual([6, 4, 3, 3]);
        return conv(layer(input('down', 'f32', [1, 4, 3, 3])), input('up', 'f32', [6, 1, 1, 1]));
      },
    };
    const build = (patches: readonly Patch[]) =>
      trace('c', openWeights(source, patches), (g) => ({
        y: conv2d(g.weights.at('conv'), g.input('x', 'f32', [1, 4, 5, 5]), { stride: 2, pad: 1 }),
      }));
    const feeds = {
      x: picture,
      down: { shape: [1, 4, 3, 3], data: Array.from({ length: 36 }, (_, i) => Math.cos(i)) },
      up: { shape: [6, 1, 1, 1], data: [1, 2, 3, 4, 5, 6] },
    };
    const plain = (await interpret(build([]), feeds)).y;
    const patched = (await interpret(build([patch]), feeds)).y;
    expect(patched.shape).toEqual([1, 6, 3, 3]);
    const change = Array.from(patched.data, (value, i) => value - plain.data[i]);
    for (let c = 1; c < 6; c++) {
      close(
        change.slice(c * 9, c * 9 + 9),
        change.slice(0, 9).map((value) => value * (c + 1)),
      );
    }
  });

  it('multiplies what stands so far, bias too', async () => {
    const keys = new Set(['block.0.weight']);
    const twice: Patch = { identity: 'twice', keys, scale: () => input('factor', 'f32', []) };
    const only = (w: Weights, h: Tensor): Tensor => linear(w.at('block.0'), h);
    const plain = await run([], {}, only);
    const scaled = await run([twice], { factor: { shape: [], data: [2.5] } }, only);
    close(
      scaled,
      plain.map((value) => value * 2.5),
    );
  });

  it('changes parameters it has keys for, in order', () => {
    const change = (f: (value: Tensor) => Tensor): Patch => ({
      identity: 'change',
      keys: new Set(['block.0.bias']),
      change: (_, value) => f(value),
    });
    const w = openWeights(source, [change((v) => mul(v, 2)), change((v) => add(v, 1))]);
    expect(w.param('block.0.bias').op.name).toBe('add');
    expect(w.param('conv.bias').op.name).toBe('param');
  });
});
