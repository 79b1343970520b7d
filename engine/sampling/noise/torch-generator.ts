/** torch's CPU random generator (`torch.Generator`, `torch.manual_seed`), draw for draw. */
import { type NDArray, nd, sizeOf } from '../../array/nd.ts';
import { normalBlock } from './box-muller.ts';
import { Mt19937 } from './mt19937.ts';
import { toSeed } from './seed.ts';

/** All that the next draws of a generator depend on, as plain numbers. */
export interface TorchGeneratorState {
  readonly engine: readonly number[];
  readonly cachedNormal?: number | undefined;
}

export class TorchGenerator {
  private readonly engine: Mt19937;
  /** The second normal of a Box-Muller pair drawn for a small tensor, kept for the next one. */
  private cachedNormal: number | undefined;

  constructor(seed: number | bigint) {
    this.engine = new Mt19937(toSeed(seed));
  }

  /** Where it stands (`get_state`), for `restore`. */
  save(): TorchGeneratorState {
    return { engine: this.engine.save(), cachedNormal: this.cachedNormal };
  }

  /** Goes on from there (`set_state`); throws RangeError for what `save` does not give. */
  restore({ engine, cachedNormal }: TorchGeneratorState): void {
    this.engine.restore(engine);
    this.cachedNormal = cachedNormal;
  }

  /** The next 32 random bits, 0 .. 2^32 - 1. */
  nextUint32(): number {
    return this.engine.next();
  }

  private nextUint64(): bigint {
    const high = BigInt(this.engine.next());
    return (high << 32n) | BigInt(this.engine.next());
  }

  private nextUniform64(): number {
    const high = this.engine.next() & 0x1fffff;
    const low = this.engine.next();
    return (high * 2 ** 32 + low) * 2 ** -53;
  }

  /** `torch.rand(n)`: uniforms of [0, 1) with 24 bits. */
  rand(n: number): Float32Array {
    const data = new Float32Array(n);
    for (let i = 0; i < n; i++) data[i] = (this.engine.next() & 0xffffff) * 2 ** -24;
    return data;
  }

  /** `torch.rand(n, dtype=float64)`: uniforms of [0, 1) with 53 bits. */
  rand64(n: number): Float64Array {
    return Float64Array.from({ length: n }, () => this.nextUniform64());
  }

  /**
   * `torch.randn(shape)`: one call, whose number of elements decides the algorithm (below 16 values
   * one by one in double precision, else in blocks with the last 16 drawn anew for a ragged tail).
   */
  randn(shape: readonly number[]): NDArray {
    const n = sizeOf(shape);
    if (n < 16) {
      return nd(
        Float32Array.from({ length: n }, () => this.nextNormal64()),
        shape,
      );
    }
    const data = this.rand(n);
    for (let i = 0; i + 16 <= n; i += 16) normalBlock(data, i);
    if (n % 16 !== 0) {
      data.set(this.rand(16), n - 16);
      normalBlock(data, n - 16);
    }
    return nd(data, shape);
  }

  private nextNormal64(): number {
    if (this.cachedNormal !== undefined) {
      const value = this.cachedNormal;
      this.cachedNormal = undefined;
      return value;
    }
    const u1 = this.nextUniform64();
    const u2 = this.nextUniform64();
    const r = Math.sqrt(-2 * Math.log1p(-u2));
    const theta = 2 * Math.PI * u1;
    this.cachedNormal = r * Math.sin(theta);
    return r * Math.cos(theta);
  }

  /** `torch.randint(low, high, (n,))`: integers of [low, high); high - low is at most 2^63. */
  randint(low: bigint, high: bigint, n: number): BigInt64Array {
    const range = high - low;
    const draw =
      range < 1n << 28n
        ? () => BigInt(this.engine.next()) % range
        : () => this.nextUint64() % range;
    return BigInt64Array.from({ length: n }, () => low + draw());
  }

  /** `torch.randperm(n)`: a permutation of 0 .. n - 1. */
  randperm(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const j = i + (this.engine.next() % (n - i));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
