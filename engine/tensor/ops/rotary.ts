/** Rotary position embeddings. */
import { type Kernel, at, build, withAxis } from '../host.ts';
import { expectShape, staticShape } from '../shape-rules.ts';
import { fixedDim, sameDim } from '../shape.ts';
import { type Node, type Tensor, node, opTable, row } from '../tensor.ts';
import { add, mul, sub } from './elementwise.ts';
import { chunk, concat, reshape, unsqueeze } from './movement.ts';

export interface RotaryAttrs {
  /** Whether the two numbers of a pair are neighbours, or lie half a head apart. */
  readonly interleaved: boolean;
}

const kernel: Kernel<RotaryAttrs> = ([x, cos, sin], { interleaved }) => {
  const half = cos.shape[1];
  const head = 2 * half;
  const apart = interleaved ? 1 : half;
  return build(x.shape, (index) => {
    const [, token, channel] = index;
    const inHead = channel % head;
    const pair = interleaved ? inHead >> 1 : inHead % half;
    const isFirst = interleaved ? inHead % 2 === 0 : inHead < half;
    const partner = at(x, withAxis(index, 2, channel + (isFirst ? apart : -apart)));
    const turned = (isFirst ? -partner : partner) * at(sin, [token, pair]);
    return at(x, index) * at(cos, [token, pair]) + turned;
  });
};

export const rotaryOps = opTable({
  /**
   * x [b, t, heads*d] with the pairs of every head turned by angles whose cosines and sines are
   * [t, d/2]: (x0 cos - x1 sin, x0 sin + x1 cos).
   */
  rotaryEmbedding: row<RotaryAttrs>({
    shape: ([x, cos, sin]) => {
      const fits = x.shape.length === 3 && cos.shape.length === 2 && sin.shape.length === 2;
      expectShape(fits, 'x must be [batch, tokens, channels], cosines and sines [tokens, pairs]');
      const [channels] = staticShape([x.shape[2]], 'the channel axis');
      const [pairs] = staticShape([cos.shape[1]], 'the pairs of a head');
      expectShape(channels % (2 * pairs) === 0, `no whole heads of ${pairs} pairs`);
      expectShape(sameDim(cos.shape[0], x.shape[1]), 'a cosine for each token is needed');
      return x.shape;
    },
    kernel,
    decompose: inSteps,
  }),
});

function inSteps({ inputs: [x, cos, sin], attrs, shape }: Node<RotaryAttrs>): Tensor {
  const [batch, tokens, channels] = shape;
  const pairs = fixedDim(cos.shape[1], 'the pairs of a head');
  const heads = fixedDim(channels, 'channels') / (2 * pairs);
  const axis = attrs.interleaved ? 4 : 3;
  const split = attrs.interleaved ? [heads, pairs, 2] : [heads, 2, pairs];
  const [x0, x1] = chunk(reshape(x, [batch, tokens, ...split]), 2, axis);
  // [t, d/2] beside [b, t, heads, ...]
  const beside = (table: Tensor): Tensor =>
    unsqueeze(table, attrs.interleaved ? [0, 2, 4] : [0, 2, 3]);
  const [c, s] = [beside(cos), beside(sin)];
  const turned = [sub(mul(x0, c), mul(x1, s)), add(mul(x0, s), mul(x1, c))];
  return reshape(concat(turned, axis), shape);
}

/** Cosines and sines of the angles of every token and pair: [t, d/2] each. */
export interface Rotation {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** x [b, t, heads*d] turned (Su et al. 2021); neighbours are pairs unless told that halves are. */
export const rotaryEmbedding = (
  x: Tensor,
  { cos, sin }: Rotation,
  { interleaved = true }: Partial<RotaryAttrs> = {},
): Tensor => node(rotaryOps.rotaryEmbedding, [x, cos, sin], { interleaved });
