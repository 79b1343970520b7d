import { describe, expect, it } from 'vitest';
import { parameterisations } from '../../../engine/sampling/parameterisation.ts';
import { sigmaSchedules } from '../../../engine/sampling/sigma-schedule.ts';

const schedule = sigmaSchedules['edm']({ sigmaData: 0.5 });
const discrete = sigmaSchedules['discrete']({});

describe('parameterisations', () => {
  const cases = Object.values(parameterisations).flatMap((formula) =>
    [0.1, 0.5, 0.97, 12].map((sigma) => ({ name: formula.name, sigma, formula })),
  );

  it.each(cases)('$name at $sigma: its target is what denoises', ({ name, sigma, formula }) => {
    const levels = name === 'lcm' ? discrete : schedule;
    const [picture, noise] = [0.7, -1.3];
    const [keep, add] = formula.noisy(sigma);
    const x = keep * picture + add * noise;
    const [p, n] = formula.target(sigma, levels);
    const [a, b] = formula.denoised(sigma, levels);
    expect(a * x + b * (p * picture + n * noise)).toBeCloseTo(picture, 10);
  });
});
