/**
 * The kinds of adapters in files, as rows: which tensors make one and what it does to a weight.
 * LoRA (Hu et al. 2021) runs beside the layer; the others change the weight where the program reads
 * it, from factors that are fed. Formulas: golden data README of the `lora` area (ComfyUI's merges).
 */
import { type NDArray, reshape as reshaped, sizeOf } from '../../array/nd.ts';
import { add, conv, linear, matmul, mul, permute, reshape, sub } from '../../tensor/nn.ts';
import type { Layer } from '../../tensor/patch.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { butterfly, cayley, cayleyNorm } from './rotations.ts';

/** Tensors of one weight's entry by part. */
export type AdapterParts = Readonly<Record<string, NDArray>>;
type Spelled = Readonly<Record<string, readonly string[]>>;

/** The program's tensor of a fed array. */
export type Fed = (name: string) => Tensor;

/** What an entry does to a weight W; exactly one of `delta` and `change` is there. */
export interface AdapterAct {
  /** What it feeds, by name. */
  readonly arrays: Readonly<Record<string, NDArray>>;
  /** D of W + s·D. */
  readonly delta?: (weight: Tensor, fed: Fed) => Tensor;
  /** D·x for the layer's input x, where that is cheaper than D. */
  readonly beside?: (layer: Layer, fed: Fed) => Tensor;
  /** The changed weight at strength s, for kinds that are not W + s·D. */
  readonly change?: (weight: Tensor, fed: Fed, s: Tensor) => Tensor;
}

export interface AdapterKind {
  readonly name: string;
  /** Part -> the suffixes it is spelled with, in order of preference. */
  readonly parts: Spelled;
  /** It takes one of each of these groups of parts to be of this kind. */
  readonly needs: readonly (readonly string[])[];
  /** What alpha is divided by; undefined: the kind has no rank, or nothing of it is factored here. */
  rank?(parts: AdapterParts): number | undefined;
  /** For a weight of this shape; undefined when the parts do not fit it. */
  act(parts: AdapterParts, shape: readonly number[]): AdapterAct | undefined;
}

/** Parts that go with several kinds. */
export const commonParts: Spelled = {
  alpha: ['.alpha'],
  dora: ['.dora_scale'],
  bias: ['.diff_b', '.b_norm'],
};

/** alpha / rank; files without alpha mean 1. */
const factor = ({ alpha }: AdapterParts, rank: number | undefined): number =>
  alpha === undefined || rank === undefined ? 1 : alpha.data[0] / rank;

const scaled = (x: NDArray, k: number): NDArray =>
  k === 1 ? x : { data: x.data.map((value) => value * k), shape: x.shape };

/** x [rows, rest] whatever its further axes are. */
const flat = (x: NDArray): NDArray =>
  reshaped(x, [x.shape[0], sizeOf(x.shape) / (x.shape[0] || 1)]);

const lora: AdapterKind = {
  name: 'lora',
  parts: {
    up: [
      '.lora_up.weight',
      '_lora.up.weight',
      '.lora_B.weight',
      '.lora.up.weight',
      '.lora_B',
      '.lora_linear_layer.up.weight',
      '.lora_B.default.weight',
    ],
    down: [
      '.lora_down.weight',
      '_lora.down.weight',
      '.lora_A.weight',
      '.lora.down.weight',
      '.lora_A',
      '.lora_linear_layer.down.weight',
      '.lora_A.default.weight',
    ],
    mid: ['.lora_mid.weight'],
  },
  needs: [['up'], ['down']],
  rank: ({ down }) => down.shape[0],
  act(parts, shape) {
    const up = flat(parts.up);
    const inner = parts.mid ? withMid(parts.mid, parts.down) : flat(parts.down);
    const [out, ...rest] = shape;
    const rank = inner.shape[0];
    if (up.shape[0] !== out || up.shape[1] !== rank || inner.shape[1] !== sizeOf(rest)) {
      return undefined;
    }
    return {
      arrays: {
        up: scaled(up, factor(parts, lora.rank!(parts))),
        down: reshaped(inner, [rank, ...rest]),
      },
      delta: (_, fed) =>
        reshape(matmul(fed('up'), reshape(fed('down'), [rank, sizeOf(rest)])), shape),
      beside: ({ run }, fed) => {
        const h = run(fed('down')); // the layer with r outputs
        if (rest.length === 1) return linear(h, fed('up'));
        return conv(h, reshape(fed('up'), [out, rank, ...rest.slice(1).map(() => 1)]));
      },
    };
  },
};

/** LoCon's decomposed convolution: down [q, i] under mid [p, q, ...kernel], as [p, i·kernel]. */
function withMid(mid: NDArray, down: NDArray): NDArray {
  const [p, q, ...kernel] = mid.shape;
  const taps = sizeOf(kernel);
  const inputs = flat(down).shape[1];
  const data = new Float32Array(p * inputs * taps);
  for (let a = 0; a < p; a++) {
    for (let b = 0; b < q; b++) {
      for (let i = 0; i < inputs; i++) {
        const weight = down.data[b * inputs + i];
        const from = (a * q + b) * taps;
        const to = (a * inputs + i) * taps;
        for (let k = 0; k < taps; k++) data[to + k] += mid.data[from + k] * weight;
      }
    }
  }
  return { data, shape: [p, inputs * taps] };
}

/** LoHa (Hyeon-Woo et al. 2022): the elementwise product of two low-rank products. */
const loha: AdapterKind = {
  name: 'loha',
  parts: {
    h1a: ['.hada_w1_a'],
    h1b: ['.hada_w1_b'],
    h2a: ['.hada_w2_a'],
    h2b: ['.hada_w2_b'],
    t1: ['.hada_t1'],
    t2: ['.hada_t2'],
  },
  needs: [['h1a'], ['h1b'], ['h2a'], ['h2b']],
  rank: ({ h1b }) => h1b.shape[0],
  act(parts, shape) {
    const { h1a, h1b, h2a, h2b, t1, t2 } = parts;
    const outputs = t1 ? h1a.shape[1] : h1a.shape[0];
    if (outputs !== shape[0]) return undefined;
    return {
      arrays: {
        h1a: scaled(h1a, factor(parts, loha.rank!(parts))),
        h1b,
        h2a,
        h2b,
        ...(t1 && t2 ? { t1, t2 } : {}),
      },
      delta: (_, fed) => {
        const half = (n: 1 | 2): Tensor =>
          t1 && t2
            ? tucker(fed(`t${n}`), fed(`h${n}a`), fed(`h${n}b`))
            : matmul(fed(`h${n}a`), fed(`h${n}b`));
        return reshape(mul(half(1), half(2)), shape);
      },
    };
  },
};

/** sum over i, j of t [i, j, ...k] a [i, p] b [j, r]: [p, r, ...k]. */
function tucker(t: Tensor, a: Tensor, b: Tensor): Tensor {
  const [i, j, ...kernel] = t.shape as number[];
  const [p, r] = [a.shape[1] as number, b.shape[1] as number];
  const rows = matmul(permute(a, [1, 0]), reshape(t, [i, j * sizeOf(kernel)])); // [p, j·k]
  const inner = permute(reshape(rows, [p, j, sizeOf(kernel)]), [0, 2, 1]); // [p, k, j]
  const out = permute(matmul(inner, b), [0, 2, 1]); // [p, r, k]
  return reshape(out, [p, r, ...kernel]);
}

/** LoKr (Yeh et al. 2023): a Kronecker product, either side of which may be factored. */
const lokr: AdapterKind = {
  name: 'lokr',
  parts: {
    w1: ['.lokr_w1'],
    w1a: ['.lokr_w1_a'],
    w1b: ['.lokr_w1_b'],
    w2: ['.lokr_w2'],
    w2a: ['.lokr_w2_a'],
    w2b: ['.lokr_w2_b'],
    t2: ['.lokr_t2'],
  },
  needs: [
    ['w1', 'w1a'],
    ['w2', 'w2a'],
  ],
  // alpha counts only where something is factored; the second factor's rank wins
  rank: ({ w1, w1b, w2, w2a, w2b, t2 }) =>
    w2 ? (w1 ? undefined : w1b.shape[0]) : t2 ? w2a.shape[0] : w2b.shape[0],
  act(parts, shape) {
    const { w1, w1a, w1b, w2, w2a, w2b, t2 } = parts;
    const k = factor(parts, lokr.rank!(parts));
    const first: AdapterParts = w1 ? { w1: scaled(w1, k) } : { w1a: scaled(w1a, k), w1b };
    const second: AdapterParts = w2 ? { w2 } : { w2a, w2b, ...(t2 ? { t2 } : {}) };
    const left = w1 ? w1.shape : [w1a.shape[0], w1b.shape[1]];
    if (shape[0] % left[0] !== 0) return undefined;
    return {
      arrays: { ...first, ...second },
      delta: (_, fed) => {
        const a = w1 ? fed('w1') : matmul(fed('w1a'), fed('w1b'));
        const b = w2
          ? fed('w2')
          : t2
            ? tucker(fed('t2'), fed('w2a'), fed('w2b'))
            : matmul(fed('w2a'), fed('w2b'));
        return reshape(kronecker(a, b), shape);
      },
    };
  },
};

/** a [m, n] times every element of b [p, q, ...k], as [m·p, n·q, ...k]. */
function kronecker(a: Tensor, b: Tensor): Tensor {
  const [m, n] = a.shape as number[];
  const [p, q, ...kernel] = b.shape as number[];
  const ones = kernel.map(() => 1);
  const left = reshape(a, [m, 1, n, 1, ...ones]);
  const right = reshape(b, [1, p, 1, q, ...kernel]);
  return reshape(mul(left, right), [m * p, n * q, ...kernel]);
}

/** GLoRA (Chavan et al. 2023): a low-rank product and a low-rank change of the weight itself. */
const glora: AdapterKind = {
  name: 'glora',
  parts: {
    a1: ['.a1.weight'],
    a2: ['.a2.weight'],
    b1: ['.b1.weight'],
    b2: ['.b2.weight'],
  },
  needs: [['a1'], ['a2'], ['b1'], ['b2']],
  act(parts, shape) {
    const [a1, a2, b1, b2] = [parts.a1, parts.a2, parts.b1, parts.b2].map(flat);
    const [out, inputs, ...kernel] = shape;
    const old =
      b2.shape[1] === b1.shape[0] && b1.shape[0] === a1.shape[0] && a1.shape[0] === a2.shape[1];
    const current =
      b2.shape[0] === b1.shape[1] && b1.shape[1] === a1.shape[1] && a1.shape[1] === a2.shape[0];
    const square = out === inputs && a2.shape[0] === out;
    const isOld = old && (!current || square);
    const k = factor(parts, isOld ? a1.shape[0] : a2.shape[0]);
    const taps = sizeOf(kernel);
    return {
      arrays: { a1, a2: scaled(a2, k), b1: scaled(b1, k), b2 },
      delta: (weight, fed) => {
        const [p, q, r, s] = [fed('a1'), fed('a2'), fed('b1'), fed('b2')];
        if (isOld) {
          const w = reshape(weight, [out, inputs * taps]);
          return reshape(add(matmul(s, r), matmul(matmul(w, q), p)), shape);
        }
        // on the input channels, at every tap of the kernel
        const w = permute(reshape(weight, [out, inputs, taps]), [0, 2, 1]);
        const changed = permute(matmul(matmul(w, p), q), [0, 2, 1]);
        return add(reshape(changed, shape), reshape(matmul(r, s), shape));
      },
    };
  },
};

/** Rotations of blocks of output channels: OFT (one, 3-D) or BOFT (stages of a butterfly, 4-D). */
const oft: AdapterKind = {
  name: 'oft',
  parts: { blocks: ['.oft_blocks'], rescale: ['.rescale'] },
  needs: [['blocks']],
  act: (parts, shape) => {
    const [count, size] = parts.blocks.shape.slice(-3);
    if (count * size !== shape[0]) return undefined;
    return parts.blocks.shape.length === 3 ? oftAct(parts, shape) : boftAct(parts, shape);
  },
};

/** OFT (Qiu et al. 2023). The strength counts twice, as in ComfyUI. */
function oftAct({ blocks, alpha }: AdapterParts, shape: readonly number[]): AdapterAct {
  const [count, size] = blocks.shape;
  const rest = sizeOf(shape.slice(1));
  return {
    arrays: { rotation: minusIdentity(cayley(blocks, cayleyNorm(blocks, alpha?.data[0] ?? 0))) },
    change: (weight, fed, s) => {
      const w = reshape(weight, [count, size, rest]);
      const turned = matmul(permute(fed('rotation'), [0, 2, 1]), w);
      return add(weight, mul(mul(s, s), reshape(turned, shape)));
    },
  };
}

function minusIdentity(x: NDArray): NDArray {
  const n = x.shape.at(-1)!;
  return {
    data: x.data.map((value, i) => ((i % (n * n)) % (n + 1) === 0 ? value - 1 : value)),
    shape: x.shape,
  };
}

/** BOFT (Liu et al. 2024). Without alpha ComfyUI leaves the weight as it is. */
function boftAct(
  { blocks, alpha, rescale }: AdapterParts,
  shape: readonly number[],
): AdapterAct | undefined {
  if (alpha === undefined) return undefined;
  const [stages, count, size] = blocks.shape;
  return {
    arrays: {
      rotations: cayley(blocks, cayleyNorm(blocks, alpha.data[0])),
      ...(rescale ? { rescale } : {}),
    },
    change: (weight, fed, s) => {
      let turned = butterfly(weight, fed('rotations'), s, { stages, count, size });
      if (rescale) {
        turned = mul(turned, reshape(fed('rescale'), [shape[0], ...shape.slice(1).map(() => 1)]));
      }
      return add(weight, mul(s, sub(turned, weight)));
    },
  };
}

/** A difference as large as the weight. */
const diff: AdapterKind = {
  name: 'diff',
  parts: { diff: ['.diff', '.w_norm'] },
  needs: [['diff']],
  act: ({ diff: given }, shape) =>
    sizeOf(given.shape) !== sizeOf(shape) || given.shape.join() !== shape.join()
      ? undefined
      : { arrays: { diff: given }, delta: (_, fed) => fed('diff') },
};

/** Another weight in its place, whatever the strength. */
const set: AdapterKind = {
  name: 'set',
  parts: { set: ['.set_weight'] },
  needs: [['set']],
  act: ({ set: given }, shape) =>
    given.shape.join() !== shape.join()
      ? undefined
      : { arrays: { set: given }, change: (_, fed) => fed('set') },
};

/** In rising order of precedence for one weight. */
export const adapterKinds: readonly AdapterKind[] = [lora, loha, lokr, glora, oft, diff, set];
