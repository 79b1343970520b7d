/** The CPU provider, in full precision and in whole numbers (decision 009). */
import { cpu as table } from '../../onnx/cpu.ts';
import { int8 as int8Table, isInt8Shape, patchBytes } from '../../onnx/int8.ts';
import { channelBlock } from '../channel-block.ts';
import { type Provider, fullPrecision, noWinograd } from '../provider.ts';
import { wholeNumberBits } from '../whole-number-bits.ts';

/** Share of the budget that one model may take for the sake of speed: text encoders and autoencoder stay beside it. */
const largestShare = 0.7;

export const cpu = {
  name: 'cpu',
  memory: 'host',
  table,
  ...fullPrecision,
  widen: 'weights',
  // What narrow weights cost grows with a network: 3 % of a step of SD1.5 (3.4 GB wide), 12 % of one of SDXL (10.3 GB)
  // at 512 px. Text encoders, of few rows, lose most (20 % of CLIP-G's 2.8 GB).
  widens: (bytes, budget) => bytes <= 3e9 || (bytes >= 6e9 && bytes <= largestShare * budget),
  // small models (autoencoders) whole, large ones where it gains most
  winogradBytes: (bytes, budget) =>
    Math.min(Math.max(0.3 * bytes, 640 * 2 ** 20), Math.max(0, largestShare * budget - bytes)),
  session: {
    // What measured best (docs/decisions/003-session-time.md): graphs are fused when they are lowered and
    // weights lie as kernels want them, so the slow rewrites of the layout level and private packed
    // copies of the weights are left out. With the arena: without it the first run of every size takes
    // up to twice its time in fresh pages.
    optimization: 'extended',
    config: { 'session.disable_prepacking': '1' },
    // a plan of a run's memory asks for one piece beside those of the first run, which had none: twice the memory
    options: { enableMemPattern: false },
    providers: ['cpu'],
  },
  probe: async () => ({ block: await channelBlock() }),
} satisfies Provider;

export const cpuInt8 = {
  ...cpu,
  table: int8Table,
  // one copy as prepared, one as ONNX Runtime packs it
  int8: (shape) => (isInt8Shape(shape) ? 2 : undefined),
  inside: patchBytes,
  // filters in whole numbers are faster still
  winogradBytes: noWinograd,
  // packed copies are worth their bytes here: a quarter of the full ones
  session: { ...cpu.session, config: {} },
  probe: async () => ({ block: await channelBlock(), bits: wholeNumberBits() }),
} satisfies Provider;
