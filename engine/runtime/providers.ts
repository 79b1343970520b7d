/** The providers by kind of device, and what `--precision` may name on each. */
import type { Provider } from './provider.ts';
import { cpu, cpuInt8 } from './providers/cpu.ts';
import { cuda, cudaFull } from './providers/cuda.ts';
import { portable } from './providers/portable.ts';
import { webgpu, webgpuFull, webgpuInt8 } from './providers/webgpu.ts';

export type { Provider } from './provider.ts';

export const providers = { cpu, portable, webgpu, cuda } satisfies Readonly<
  Record<string, Provider>
>;

/** What networks are computed in, and what to expect of it. */
export interface PrecisionRow {
  readonly provider: Provider;
  readonly notice?: string;
}

/** For each kind of device its precisions by name; the first is the one it has when none is asked for. */
export const deviceKinds = {
  cpu: {
    fp32: { provider: cpu },
    int8: {
      provider: cpuInt8,
      notice:
        'precision int8: linear layers and convolutions in 8-bit whole numbers; faster, in less memory, ' +
        'and pictures differ a little from those in fp32 (docs/performance.md)',
    },
  },
  webgpu: {
    fp16: { provider: webgpu },
    fp32: { provider: webgpuFull },
    int8: {
      provider: webgpuInt8,
      notice:
        'precision int8: weights of linear layers in 8-bit whole numbers, all else in halves; in less ' +
        'memory, faster on some cards, and pictures differ a little from those in fp16 (docs/gpu.md)',
    },
  },
  cuda: { fp16: { provider: cuda }, fp32: { provider: cudaFull } },
} satisfies Readonly<Record<string, Readonly<Record<string, PrecisionRow>>>>;

export type DeviceKind = keyof typeof deviceKinds;
