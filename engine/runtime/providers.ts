/**
 * The execution providers of ONNX Runtime that programs can be lowered for, one row each. Whatever
 * differs between them is said here; nobody asks for a row by its name.
 */
import type { Target } from '../onnx/lower.ts';
import { portable } from '../onnx/portable.ts';
import { cpu } from '../onnx/cpu.ts';
import { int8, isInt8Shape } from '../onnx/int8.ts';
import type { Shape } from '../tensor/shape.ts';
import { channelBlock } from './channel-block.ts';
import type { OrtOptions } from './ort.ts';
import { wholeNumberBits } from './whole-number-bits.ts';

/** What of a target depends on the machine. */
export type MachineFacts = Pick<Target, 'block' | 'bits'>;

export interface Provider extends Required<Omit<Target, 'block' | 'bits' | 'winograd'>> {
  readonly name: string;
  /**
   * Bytes that a program's weights may take when narrow ones are widened before it opens. Those of
   * linear layers in a larger one stay as they are stored and are widened whenever they are read.
   */
  readonly widestBytes: number;
  /**
   * Bytes that convolutions' filters may take beyond their plain form to be computed by Winograd's
   * method, for a program whose weights take `bytes`.
   */
  readonly winogradBytes: (bytes: number) => number;
  /** Which weights are rewritten in whole numbers, told from their shapes; left out: none. */
  readonly int8?: (shape: Shape) => boolean;
  /** How ONNX Runtime is told: its providers, the first choice first, and options that measured best. */
  readonly session: OrtOptions & { readonly providers: readonly string[] };
  /** What lowering must know of this machine. */
  readonly probe: () => Promise<MachineFacts>;
}

/**
 * What measured best (docs/decisions/003-session-time.md): graphs are fused when they are lowered and
 * weights lie as kernels want them, so the slow rewrites of the layout level and private packed
 * copies of the weights are left out.
 */
const measured: OrtOptions = {
  optimization: 'extended',
  config: { 'session.disable_prepacking': '1' },
  // a plan of a run's memory asks for one piece beside those of the first run, which had none: twice the memory
  options: { enableMemPattern: false },
};

/**
 * Reals in half precision. Exact stay long sums, and whatever is computed before a weight comes in:
 * angles of timesteps and positions, masks, sizes.
 */
const halfPrecision = {
  compute: 'f16',
  exact: (tensor, weighted) => !weighted || tensor.op.longSum === true,
} satisfies Partial<Target>;

const fullPrecision = { compute: 'f32', exact: () => false } satisfies Partial<Target>;
const noWinograd = (): number => 0;
const nothing = async (): Promise<MachineFacts> => ({});

export const providers = {
  cpu: {
    name: 'cpu',
    table: cpu,
    ...fullPrecision,
    widen: 'weights',
    // measured: reading a large layer's weights narrow takes no longer than reading them wide
    widestBytes: 2 ** 31,
    // small models (autoencoders) whole, large ones where it gains most
    winogradBytes: (bytes) => (bytes < 2 ** 29 ? 3 : 0.3) * bytes,
    // with the arena: without it the first run of every size takes up to twice its time in fresh pages
    session: { ...measured, providers: ['cpu'] },
    probe: async () => ({ block: await channelBlock() }),
  },
  /** Standard operators only: what every other row starts from, on the CPU. */
  portable: {
    name: 'portable',
    table: portable,
    ...fullPrecision,
    widen: 'weights',
    widestBytes: Infinity,
    winogradBytes: noWinograd,
    session: { ...measured, providers: ['cpu'] },
    probe: nothing,
  },
  webgpu: {
    name: 'webgpu',
    table: portable,
    ...halfPrecision,
    widen: 'weights',
    widestBytes: Infinity,
    winogradBytes: noWinograd,
    session: { optimization: 'extended', providers: ['webgpu', 'cpu'] },
    probe: nothing,
  },
  cuda: {
    name: 'cuda',
    table: portable,
    ...halfPrecision,
    widen: 'weights',
    widestBytes: Infinity,
    winogradBytes: noWinograd,
    session: { optimization: 'extended', providers: ['cuda', 'cpu'] },
    probe: nothing,
  },
} satisfies Readonly<Record<string, Provider>>;

/** What `--precision` may name: what networks are computed in on this device, and what to expect of it. */
export const precisions = {
  fp32: { provider: providers.cpu, notice: undefined },
  int8: {
    provider: {
      ...providers.cpu,
      table: int8,
      int8: isInt8Shape,
      // filters in whole numbers are faster still
      winogradBytes: noWinograd,
      // packed copies are worth their bytes here: a quarter of the full ones
      session: { ...providers.cpu.session, config: {} },
      probe: async () => ({ block: await channelBlock(), bits: wholeNumberBits() }),
    },
    notice:
      'precision int8: linear layers and convolutions in 8-bit whole numbers; faster, in less memory, ' +
      'and pictures differ a little from those in fp32 (docs/performance.md)',
  },
} satisfies Readonly<Record<string, { readonly provider: Provider; readonly notice?: string }>>;

export type Precision = keyof typeof precisions;
