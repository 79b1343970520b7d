import { describe, expect, it } from 'vitest';
import { precisionText, precisionsOf } from '../../../engine/runtime/precision.ts';
import { deviceKinds } from '../../../engine/runtime/providers.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { relu } from '../../../engine/tensor/nn.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { randomSource } from '../../support/random-weights.ts';

const { cpu, webgpu } = deviceKinds;
const on = { cpu: { id: 'cpu', kind: 'cpu' }, webgpu: { id: 'webgpu:0', kind: 'webgpu' } } as const;
const named = (...names: string[]) => ({ names });

describe('precisions', () => {
  it("are the device's own when nobody asks", () => {
    expect(precisionsOf(on.cpu).names).toEqual({
      network: 'fp32',
      'text-encoder': 'fp32',
      vae: 'fp32',
    });
    expect(precisionText(precisionsOf(on.cpu))).toBe('fp32');
    expect(precisionsOf(on.webgpu).rowFor({}).provider).toBe(webgpu.fp16.provider);
    const software = precisionsOf({ ...on.webgpu, inSteps: true }).rowFor({}).provider;
    expect(software).toEqual({ ...webgpu.fp16.provider, ...webgpu.fp16.provider.inSteps });
  });

  it('may differ from part to part; what is no part goes with the network', () => {
    const { rowFor, notices, ...precisions } = precisionsOf(on.cpu, {
      all: named('int8'),
      vae: named('fp32'),
    });
    expect(rowFor({}).provider).toBe(cpu.int8.provider);
    expect(rowFor({ role: 'text-encoder' }).provider).toBe(cpu.int8.provider);
    expect(rowFor({ role: 'vae' }).provider).toBe(cpu.fp32.provider);
    expect(precisionText(precisions)).toBe('networks int8, text encoders int8, VAE fp32');
    expect(notices).toEqual([cpu.int8.notice]);
  });

  it('are full where values overflow in halves, unless just that was asked for', () => {
    const vae = { role: 'vae', fullPrecision: true } as const;
    for (const wishes of [{}, { all: named('fp16') }, { all: named('fp16'), vae: named() }]) {
      const { rowFor } = precisionsOf(on.webgpu, wishes);
      expect(rowFor(vae)).toEqual({ provider: webgpu.fp32.provider });
      expect(rowFor({ role: 'vae' }).provider).toBe(webgpu.fp16.provider);
    }
    const asked = precisionsOf(on.webgpu, { vae: named('fp16') }).rowFor(vae);
    expect(asked.provider).toBe(webgpu.fp16.provider);
    expect(asked.notice).toContain("VAE in fp16, though values of this model's may overflow");
    // 8-bit whole numbers have scales: nothing overflows
    expect(precisionsOf(on.cpu, { all: named('int8') }).rowFor(vae).provider).toBe(
      cpu.int8.provider,
    );
  });

  it('that a device does not have are refused, naming those it has', () => {
    const expected =
      '--precision: expected fp32 or int8 (what cpu has) or auto for networks, got fp16';
    expect(() => precisionsOf(on.cpu, { all: named('fp16') })).toThrow(expected);
    expect(() => precisionsOf(on.webgpu, { vae: named('constructor') })).toThrow(
      'expected fp16 or fp32 or int8 (what webgpu:0 has) or auto for VAE, got constructor',
    );
  });

  it('that run on this very device are all that counts', () => {
    const old = { ...on.webgpu, precisions: ['fp32'] };
    expect(precisionsOf(old).names.network).toBe('fp32');
    const half = { all: named('fp16') };
    expect(() => precisionsOf(old, half)).toThrow('expected fp32 (what webgpu');
  });

  it("of ComfyUI's flags are the nearest that the device has", () => {
    const wishes = { network: { names: ['bf16', 'fp16'], flag: '--bf16-unet' } };
    const half = precisionsOf(on.webgpu, wishes);
    expect(half.names.network).toBe('fp16');
    expect(half.notices).toEqual(['--bf16-unet: the nearest for networks on webgpu:0 is fp16']);
    const full = precisionsOf(on.cpu, wishes);
    expect(full.names.network).toBe('fp32');
    expect(full.notices).toEqual(['--bf16-unet: the nearest for networks on cpu is fp32']);
  });

  it('can be those of another device', () => {
    const { names, rowFor } = precisionsOf(on.webgpu, {
      all: named('fp16'),
      vae: { ...named(), device: 'cpu', flag: '--cpu-vae' },
    });
    expect(names).toEqual({ network: 'fp16', 'text-encoder': 'fp16', vae: 'fp32 on cpu' });
    expect(rowFor({ role: 'vae' }).provider).toBe(cpu.fp32.provider);
  });

  it('are chosen for each session by what its network says of itself; a notice is told once', async () => {
    const told: string[] = [];
    const asked: unknown[] = [];
    const runtime = createRuntime({
      threads: 1,
      rowFor: (needs) => {
        asked.push(needs);
        return { provider: cpu.fp32.provider, notice: needs.role && 'may overflow' };
      },
      log: (_, text) => told.push(text),
    });
    const program = () =>
      trace('relu', randomSource({}), ({ input }) => ({ y: relu(input('x', 'f32', ['n'])) }));
    const needs = { role: 'vae', fullPrecision: true } as const;
    for (const key of ['a', 'b']) await runtime.session(key, program, needs);
    await runtime.session('c', program);
    expect(asked).toEqual([needs, needs, {}]);
    expect(told).toEqual(['may overflow']);
    await runtime.unloadAll();
  });
});
