/** Norms of several epsilons at once, which the provider compiles one kernel for. Oracle: the host interpreter. */
import { expect, it } from 'vitest';
import { openSession } from '../../engine/runtime/session.ts';
import { interpret } from '../../engine/tensor/interpret.ts';
import { groupNorm, layerNorm } from '../../engine/tensor/layers.ts';
import type { Weights } from '../../engine/tensor/cursor.ts';
import type { Tensor } from '../../engine/tensor/tensor.ts';
import { type Program, trace } from '../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../support/random-weights.ts';
import { onAdapter } from './adapter.ts';

const source = randomSource({ weight: [8], bias: [8] });
const epsilons = [1e-5, 1e-6, 0.1, 1e-3];
const shapes = { groupNorm: [2, 8, 3, 5], layerNorm: [2, 15, 8] } as const;
const norms = {
  groupNorm: (w: Weights, x: Tensor, eps: number) => groupNorm(w, x, { groups: 4, eps }),
  layerNorm: (w: Weights, x: Tensor, eps: number) => layerNorm(w, x, { eps }),
} as const;

const tolerances = { fp32: 5e-6, fp16: 1e-2 } as const;

onAdapter((precision, provider) => {
  it.each(['groupNorm', 'layerNorm'] as const)('%s', async (name) => {
    const shape = [...shapes[name]];
    const programs = epsilons.map((eps): Program =>
      trace(name, source, ({ input, weights }) => ({
        y: norms[name](weights, input('x', 'f32', shape), eps),
      })),
    );
    const sessions = [];
    for (const program of programs) sessions.push(await openSession(program, { provider }));
    // deviations of about 0.06: the epsilons tell
    const x = { data: randomFloats(240, 3).map((value) => value / 10), shape };
    for (const [i, session] of sessions.entries()) {
      const { y } = await session.run({ x });
      const expected = (await interpret(programs[i], { x })).y.data;
      const worst = y.data.reduce((most, v, at) => Math.max(most, Math.abs(v - expected[at])), 0);
      expect(worst, `epsilon ${epsilons[i]}`).toBeLessThan(tolerances[precision]);
    }
    for (const session of sessions) await session.release();
  });
});
