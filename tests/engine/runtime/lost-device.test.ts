import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { OrtSession } from '../../../engine/runtime/ort.ts';
import { providers } from '../../../engine/runtime/providers.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { add } from '../../../engine/tensor/nn.ts';
import { keysOf } from '../../support/open-sessions.ts';
import { randomSource } from '../../support/random-weights.ts';

/** A device that fails when it is told to, as WebGPU's does: lost for all sessions that were open then. */
const device = vi.hoisted(() => ({ fails: '', fullForGood: false, opened: 0, released: 0 }));

vi.mock('../../../engine/runtime/ort.ts', async (original) => ({
  ...(await original<object>()),
  createSession: async () => {
    device.opened++;
    let broken = '';
    return {
      run: async () => {
        broken ||= device.fails;
        if (!device.fullForGood) device.fails = '';
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

beforeEach(() => Object.assign(device, { fails: '', fullForGood: false, opened: 0, released: 0 }));

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

describe('a full device', () => {
  const provider = { ...providers.portable, memory: 'device' } as const;

  it('is told with what the model takes, what there is and what takes less', async () => {
    const runtime = createRuntime({ provider, memoryBudget: 3 * 2 ** 30 });
    const a = await runtime.session('a', program);
    Object.assign(device, { fails: 'CUDA failure 2: out of memory', fullForGood: true });
    const run = a.run({ x: { data: new Float32Array(2 ** 26), shape: [2 ** 26] } });
    await expect(run).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    await expect(run).rejects.toThrow(
      /model 'plus'.*CUDA failure 2.*weights take 0 KiB and this run about 1.0 GiB of 3.0 GiB.*--device cpu/s,
    );
  });

  it('needs no prepared files any more once a session is open', async () => {
    const release = vi.fn(async () => undefined);
    const acquire = async () => ({ find: () => undefined, release });
    const prepared = { expect: () => undefined, acquire };
    for (const [memory, times] of [
      ['device', 1],
      ['host', 0],
    ] as const) {
      release.mockClear();
      const session = await openSession(program(), { provider: { ...provider, memory }, prepared });
      expect(release).toHaveBeenCalledTimes(times);
      await session.release();
      expect(release).toHaveBeenCalledTimes(1);
    }
  });

  it('is not what models on the processor count into', async () => {
    const weights = () => randomSource({ weight: [1000] });
    const build = () =>
      trace('plus', weights(), ({ input, weights }) => ({
        y: add(input('x', 'f32', [1000]), weights.param('weight')),
      }));
    const runtime = createRuntime({
      memoryBudget: 5000,
      rowFor: ({ role }) => ({ provider: role === 'vae' ? providers.portable : provider }),
    });
    await runtime.session('network', build);
    await runtime.session('vae', build, { role: 'vae' });
    expect(keysOf(runtime)).toEqual(['network', 'vae']);
    await runtime.session('other network', build);
    expect(keysOf(runtime)).toEqual(['other network', 'vae']);
    await runtime.unloadAll();
  });
});
