import { describe, expect, it } from 'vitest';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { conv2d, groupNorm, layerNorm, linear } from '../../../engine/tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  concat,
  mul,
  rearrange,
  reshape,
  silu,
  unsqueeze,
  upsampleNearest,
} from '../../../engine/tensor/nn.ts';
import { printProgram } from '../../../engine/tensor/print.ts';
import { dimText, shapeText, symbol } from '../../../engine/tensor/shape.ts';
import { type Graph, trace } from '../../../engine/tensor/trace.ts';
import { transposedEntry } from '../../../engine/weights/source.ts';
import { randomSource } from '../../support/random-weights.ts';

const source = randomSource({
  'conv.weight': [8, 4, 3, 3],
  'conv.bias': [8],
  'norm.weight': [8],
  'norm.bias': [8],
  'attn.qkv.weight': { shape: [24, 8], dtype: 'F16' },
  'attn.out.weight': { shape: [8, 8], dtype: 'BF16' },
  'attn.out.bias': [8],
  'never.used': [1],
  'blocks.0.a': [1],
  'blocks.1.a': [1],
  'blocks.3.a': [1],
});

/** A convolution, self-attention over the pixels and an upsampling back to the input's size. */
function network({ input, weights: w }: Graph) {
  const x = input('x', 'f32', ['batch', 4, 'height', 'width']);
  const h = silu(
    groupNorm(w.at('norm'), conv2d(w.at('conv'), x, { stride: 2, pad: 1 }), { groups: 4 }),
  );
  const tokens = rearrange(h, 'b c h w -> b (h w) c');
  const [q, k, v] = chunk(linear(w.at('attn.qkv'), tokens), 3, -1);
  const mixed = linear(w.at('attn.out'), attention(q, k, v, { heads: 2 }));
  const y = rearrange(add(tokens, mixed), 'b (h w) c -> b c h w', { h: h.shape[2], w: h.shape[3] });
  return { y: concat([upsampleNearest(y, { height: x.shape[2], width: x.shape[3] }), x], 1) };
}

describe('trace', () => {
  it('gives a program that reads like the model', () => {
    expect(printProgram(trace('tiny', source, network))).toMatchInlineSnapshot(`
      "program tiny
      param conv.weight : f32[8, 4, 3, 3]
      param conv.bias : f32[8]
      param norm.weight : f32[8]
      param norm.bias : f32[8]
      param attn.qkv.weight : f16[24, 8]
      param attn.out.weight : bf16[8, 8]
      param attn.out.bias : f32[8]
      %0 = input() {name: x} : f32[batch, 4, height, width]
      %1 = conv(%0, conv.weight, conv.bias) {strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1} : f32[batch, 8, (height + 1)//2, (width + 1)//2] @conv
      %2 = groupNorm(%1, norm.weight, norm.bias) {groups: 4, eps: 0.00001} : f32[batch, 8, (height + 1)//2, (width + 1)//2] @norm
      %3 = silu(%2) : f32[batch, 8, (height + 1)//2, (width + 1)//2]
      %4 = permute(%3) {order: [0, 2, 3, 1]} : f32[batch, (height + 1)//2, (width + 1)//2, 8]
      %5 = reshape(%4) {shape: [batch, ((height + 1)//2)*((width + 1)//2), 8]} : f32[batch, ((height + 1)//2)*((width + 1)//2), 8]
      %6 = cast(attn.qkv.weight) {to: f32} : f32[24, 8] @attn.qkv
      %7 = linear(%5, %6) : f32[batch, ((height + 1)//2)*((width + 1)//2), 24] @attn.qkv
      %8 = slice(%7) {axis: 2, start: 0, end: 8, step: 1} : f32[batch, ((height + 1)//2)*((width + 1)//2), 8] @attn
      %9 = slice(%7) {axis: 2, start: 8, end: 16, step: 1} : f32[batch, ((height + 1)//2)*((width + 1)//2), 8] @attn
      %10 = slice(%7) {axis: 2, start: 16, end: 24, step: 1} : f32[batch, ((height + 1)//2)*((width + 1)//2), 8] @attn
      %11 = attention(%8, %9, %10) {heads: 2, kvHeads: 2, causal: false, scale: 0.5} : f32[batch, ((height + 1)//2)*((width + 1)//2), 8] @attn
      %12 = cast(attn.out.weight) {to: f32} : f32[8, 8] @attn.out
      %13 = linear(%11, %12, attn.out.bias) : f32[batch, ((height + 1)//2)*((width + 1)//2), 8] @attn.out
      %14 = add(%5, %13) : f32[batch, ((height + 1)//2)*((width + 1)//2), 8]
      %15 = reshape(%14) {shape: [batch, (height + 1)//2, (width + 1)//2, 8]} : f32[batch, (height + 1)//2, (width + 1)//2, 8]
      %16 = permute(%15) {order: [0, 3, 1, 2]} : f32[batch, 8, (height + 1)//2, (width + 1)//2]
      %17 = resize(%16) {sizes: [height, width], mode: nearest} : f32[batch, 8, height, width]
      %18 = concat(%17, %0) {axis: 1} : f32[batch, 12, height, width]
      return y = %18
      "
    `);
  });

  it('names what is computed between layers after the block around them', () => {
    const source = randomSource({
      'block.norm.weight': [4],
      'block.norm.bias': [4],
      'block.fc.weight': { shape: [4, 4], dtype: 'F16' },
    });
    const scopes: string[] = [];
    trace('scopes', source, ({ input, weights: w }) => {
      const x = input('x', 'f32', ['n', 4]);
      const normed = layerNorm(w.at('block.norm'), x);
      const active = silu(normed);
      const y = linear(w.at('block.fc'), active);
      const sum = add(normed, y);
      scopes.push(...[normed, active, y, sum, add(x, sum)].map(({ scope }) => scope));
      return { sum };
    });
    expect(scopes).toEqual(['block.norm', 'block', 'block.fc', 'block', 'block']);
  });

  it('is deterministic', () => {
    const text = (): string => printProgram(trace('tiny', source, network));
    expect(text()).toBe(text());
  });

  it('reports used and unused keys', () => {
    const { usage } = trace('tiny', source, network);
    expect(usage.used).toContain('attn.qkv.weight');
    expect(usage.unused).toEqual(['never.used', 'blocks.0.a', 'blocks.1.a', 'blocks.3.a']);
  });

  it('names the key that is missing', () => {
    const build = ({ weights }: Graph) => ({ y: weights.at('conv').param('scale') });
    expect(() => trace('t', source, build)).toThrow(/random: tensor 'conv.scale' is missing/);
  });

  it('says which layer does not fit', () => {
    const build = ({ input, weights }: Graph) => ({
      y: linear(weights.at('attn.out'), input('x', 'f32', ['batch', 5])),
    });
    expect(() => trace('t', source, build)).toThrow(
      /attn.out\/linear\(\[batch, 5\], \[8, 8\], \[8\]\): the weight takes 8 features/,
    );
  });

  it('refuses a size that no input determines', () => {
    const build = ({ input }: Graph) => ({
      y: reshape(input('x', 'f32', [4]), [4, 1]),
      z: upsampleNearest(input('p', 'f32', [1, 1, 2, 2]), { height: symbol('tall'), width: 4 }),
    });
    expect(() => trace('t', source, build)).toThrow(/'tall' is not the size of any input/);
  });

  it('handles programs deeper than the call stack', () => {
    const build = ({ input }: Graph) => {
      let x = input('x', 'f32', ['n']);
      for (let i = 0; i < 20_000; i++) x = mul(x, x);
      return { x };
    };
    expect(trace('deep', source, build).nodes).toHaveLength(20_001);
  });
});

describe('cursor', () => {
  const w = openWeights(source);

  it('walks, asks and counts by the keys of the file', () => {
    expect(w.at('attn').at('qkv').scope).toBe('attn.qkv');
    expect(w.at('attn').shape('qkv.weight')).toEqual([24, 8]);
    expect([w.has('attn'), w.has('att'), w.has('conv.bias'), w.has('conv.b')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([w.count('blocks'), w.count('conv')]).toEqual([2, 0]);
  });

  it('gives narrow floats as f32 and the same tensor each time', () => {
    const weight = w.at('attn.out').param('weight');
    expect(weight.dtype).toBe('f32');
    expect(w.param('attn.out.weight')).toBe(weight);
  });

  it('shows a transposed view in its reader’s shape', () => {
    const entry = transposedEntry(source.tensors.get('attn.qkv.weight')!);
    const view = openWeights({ ...source, tensors: new Map([['weight', entry]]) });
    expect(view.shape('weight')).toEqual([8, 24]);
    expect(view.param('weight').shape).toEqual([8, 24]);
  });
});

describe('rearrange', () => {
  const { x } = (() => {
    const holder: { x?: ReturnType<Graph['input']> } = {};
    trace('t', source, ({ input }) => ({ x: (holder.x = input('x', 'f32', ['b', 'h', 6, 4])) }));
    return holder as { x: ReturnType<Graph['input']> };
  })();

  it.each<[string, Record<string, number>, string]>([
    ['a b c d -> a (b c) d', {}, '[b, 6*h, 4]'],
    ['a b c d -> (a b) (d c)', {}, '[b*h, 24]'],
    ['a b (p q) d -> a q b p d', { p: 2 }, '[b, 3, h, 2, 4]'],
    ['a b c d -> a 1 b c d', {}, '[b, 1, h, 6, 4]'],
    ['a b c d -> a b c d', {}, '[b, h, 6, 4]'],
  ])('%s %j', (pattern, sizes, shape) => {
    expect(shapeText(rearrange(x, pattern, sizes).shape)).toBe(shape);
  });

  it('undoes itself on symbolic sizes', () => {
    const [b, h] = x.shape;
    const there = rearrange(x, 'a b c d -> (a b c) d');
    const back = rearrange(there, '(a b c) d -> a b c d', { a: b, b: h });
    expect(back.shape.map(dimText)).toEqual(['b', 'h', '6', '4']);
  });

  it.each([
    ['a b -> a b', '2 axes'],
    ['a b c d -> a b c e', 'differ'],
    ['a b c (p q) -> a b c p q', 'not given'],
    ['a b c d', 'one "->"'],
  ])('refuses %s', (pattern, message) => {
    expect(() => rearrange(x, pattern)).toThrow(message);
  });

  it('refuses sizes that do not divide', () => {
    expect(() => rearrange(x, 'a b c (p q) -> a b c p q', { p: 3, q: 1 })).toThrow(
      /leave 1|elements/,
    );
  });
});

it('unsqueeze puts axes where the result has them', () => {
  const build = ({ input }: Graph) => ({ y: unsqueeze(input('x', 'f32', ['b', 3]), [2, 3]) });
  expect(shapeText(trace('t', source, build).outputs.y.shape)).toBe('[b, 3, 1, 1]');
});
