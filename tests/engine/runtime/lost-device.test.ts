import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { OrtSession } from '../../../engine/runtime/ort.ts';
import { providers } from '../../../engine/runtime/providers.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { add } from '../../../engine/tensor/nn.ts';
import { randomSource } from '../../support/random-weights.ts';

/** A device that fails when it is told to, as WebGPU's does: lost for all sessions that were open then. */
const device = vi.hoisted(() => ({ fails: '', opened: 0, released: 0 }));

vi.mock('../../../engine/runtime/ort.ts', async (original) => ({
  ...(await original<object>()),
  createSession: async () => {
    device.opened++;
    let broken = '';
    return {
      run: async () => {
        broken ||= device.fails;
        device.fails = '';
        if (broken) throw new Error(broken);
        return { 'output/y': { data: Float32Array.of(2), dims: [1], type: 'float32' } };
      },
      release: async () => void device.released++,
    } as unknown as OrtSession;
  },
}));

const program = () =>
  trace('plus', randomSource({}), ({ input }) => ({ y: add(input('x', 'f32', ['n']), 1) }));
const x = { x: { data: Float32Array.of(1), shape: [1] } };

beforeEach(() => Object.assign(device, { fails: '', opened: 0, released: 0 }));

describe('a lost device', () => {
  it('fails one run, and what is run next opens anew', async () => {
    const runtime = createRuntime({ provider: providers.portable });
    const [a, b] = [await runtime.session('a', program), await runtime.session('b', program)];
    await a.run(x);
    expect(runtime.lostDevice()).toBe(false);
    device.fails = 'message: [Device] is lost.';
    await expect(a.run(x)).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    expect(runtime.lostDevice()).toBe(true);
    expect(device.released).toBe(2);
    expect((await b.run(x)).y.data).toEqual(Float32Array.of(2));
    expect((await a.run(x)).y.data).toEqual(Float32Array.of(2));
    expect(device.opened).toBe(4);
    await runtime.unloadAll();
  });

  it('is not what running out of memory is, after which the same run is tried again', async () => {
    const runtime = createRuntime({ provider: providers.portable });
    const a = await runtime.session('a', program);
    device.fails = 'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid';
    expect((await a.run(x)).y.data).toEqual(Float32Array.of(2));
    expect([device.opened, device.released]).toEqual([2, 1]);
    expect(runtime.lostDevice()).toBe(false);
    await runtime.unloadAll();
  });
});
