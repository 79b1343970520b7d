/** The CPU provider, in full precision and in whole numbers (decision 009). */
import { cpu as table } from '../../onnx/cpu.ts';
import { int8 as int8Table, isInt8Shape, patchBytes } from '../../onnx/int8.ts';
import { channelBlock } from '../channel-block.ts';
import { type Provider, fullPrecision, noWinograd } from '../provider.ts';
import { wholeNumberBits } from '../whole-number-bits.ts';

export const cpu = {
  name: 'cpu',
  memory: 'host',
  table,
  ...fullPrecision,
  hidesSizes: true,
  widen: 'weights',
  // Measured: narrow weights cost 5 % of a step of SD1.5, 4 % of one of SDXL at 512 px, which filters by Winograd's
  // method in the memory that they leave bring back, and save 1.9 and 4.9 GB. Text encoders of few rows lose most
  // by them (20 % of CLIP-G's 2.8 GB) and stay wide.
  widestBytes: 3e9,
  // Measured beside the reference at 512 px, two threads: SDXL's step 0.68 with matrices in blocks, 0.87 without;
  // SD1.5's 0.56 with them, 0.49 without
  laidFrom: 6e9,
  // measured: layers of Flux's width take 0.03 of the time at one row, 0.3 at 77, 0.7 to 0.9 at 1280 (docs/performance.md)
  canPack: true,
  // small models (autoencoders) whole, large ones where it gains most
  winogradBytes: (bytes) => Math.max(0.3 * bytes, 640 * 2 ** 20),
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
  canPack: false,
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
