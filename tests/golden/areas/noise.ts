/** Golden area `noise`: torch's generator, initial noise and the Brownian tree. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concat } from '../../../engine/array/batch.ts';
import { type NDArray, reshape } from '../../../engine/array/nd.ts';
import { brownianNoise } from '../../../engine/sampling/noise/brownian-tree.ts';
import {
  drawNoise,
  prepareNoise,
  seededNoise,
} from '../../../engine/sampling/noise/prepare-noise.ts';
import { seedWords } from '../../../engine/sampling/noise/seed-sequence.ts';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type Comparison, compare, type GoldenArea } from '../area.ts';
import { type GoldenCase, openCase } from '../open-case.ts';

interface Params {
  readonly op: string;
  readonly seed: string;
  readonly shape: readonly number[];
  readonly batch_index?: readonly number[] | null;
  readonly calls?: readonly (readonly [string, number])[];
}

type Drawn = { data: ArrayLike<number>; shape: readonly number[] };

const list = (data: ArrayLike<number>): Drawn => ({ data, shape: [data.length] });
const exact = { atol: 0, rtol: 0 };

/** One call on a generator, by its name in the golden files: `randn_31`, `randint_m5_12` … */
function draw(generator: TorchGenerator, call: string): Drawn {
  const [kind, first, second] = call.split('_');
  const n = Number(first);
  if (kind === 'randn') return list(generator.randn([n]).data);
  if (kind === 'rand') return list(second === 'f64' ? generator.rand64(n) : generator.rand(n));
  if (kind === 'randperm') return list(generator.randperm(n));
  if (kind === 'raw') return list(Array.from({ length: 1300 }, () => generator.nextUint32()));
  if (kind === 'randint') {
    const low = BigInt(first.replace('m', '-'));
    const drawn = generator.randint(low, BigInt(second), 20);
    return list(Array.from(drawn, Number));
  }
  const below = /^randint(\d+)$/.exec(kind);
  if (below) return list(Array.from(generator.randint(0n, BigInt(below[1]), n), Number));
  throw new Error(`unknown generator call '${call}'`);
}

/** Uniforms and integers must be exact; only normals have a tolerance. */
function against(golden: GoldenCase<Params>, name: string, call: string, got: Drawn): Comparison {
  return compare(
    name,
    got,
    golden.numbers(name),
    call.startsWith('randn') ? golden.tolerance : exact,
  );
}

function freshGenerators(golden: GoldenCase<Params>): Comparison[] {
  return golden.names.map((name) => {
    const call = name.slice('out.'.length);
    return against(golden, name, call, draw(new TorchGenerator(BigInt(golden.params.seed)), call));
  });
}

function generatorSequence(golden: GoldenCase<Params>): Comparison[] {
  const generator = new TorchGenerator(BigInt(golden.params.seed));
  return (golden.params.calls ?? []).map(([kind, n], i) => {
    const call = `${kind}_${n}`;
    return against(golden, `out.${i}_${call}`, call, draw(generator, call));
  });
}

function initialNoise(golden: GoldenCase<Params>): Comparison[] {
  const { seed, shape, batch_index } = golden.params;
  const generator = new TorchGenerator(BigInt(seed));
  const noise = drawNoise(generator, shape, batch_index ?? undefined);
  const next = generator.randn([5]);
  return [
    compare('out.noise', noise, golden.array('out.noise'), golden.tolerance),
    compare('out.next', next, golden.array('out.next_global_randn_5'), golden.tolerance),
  ];
}

function ancestralNoise(golden: GoldenCase<Params>): Comparison[] {
  const { shape, seed } = golden.params;
  const noise = seededNoise(shape, BigInt(seed));
  return [
    compare(
      'out.initial_prepare_noise',
      prepareNoise(shape, BigInt(seed)),
      golden.array('out.initial_prepare_noise'),
      golden.tolerance,
    ),
    ...[0, 1, 2].map((i) =>
      compare(
        `out.sampler_call_${i}`,
        noise(1, 0.5),
        golden.array(`out.sampler_call_${i}`),
        golden.tolerance,
      ),
    ),
  ];
}

function ddimNoise(golden: GoldenCase<Params>): Comparison[] {
  const { shape, seed } = golden.params;
  const noise = prepareNoise(shape, BigInt(seed) + 1n);
  return [compare('out.noise', noise, golden.array('out.noise'), golden.tolerance)];
}

function brownian(golden: GoldenCase<Params>): Comparison[] {
  const { shape, seed } = golden.params;
  const noise = brownianNoise(shape, golden.array('in.sigmas').data, BigInt(seed));
  const { data: pairs, shape: pairShape } = golden.array('in.query_sigma_pairs');
  const drawn: NDArray[] = [];
  for (let k = 0; k < pairShape[0]; k++) {
    drawn.push(reshape(noise(pairs[2 * k], pairs[2 * k + 1]), [1, ...shape]));
  }
  return [compare('out.noise', concat(drawn), golden.array('out.noise'), golden.tolerance)];
}

const operations: Readonly<Record<string, (golden: GoldenCase<Params>) => Comparison[]>> = {
  torch_generator: freshGenerators,
  generator_sequence: generatorSequence,
  prepare_noise: initialNoise,
  default_noise_sampler: ancestralNoise,
  ddim_inpaint_noise: ddimNoise,
  brownian_tree_noise_sampler: brownian,
};

interface SeedSequenceFile {
  readonly cases: readonly {
    readonly entropy: string;
    readonly spawn_key: readonly string[];
    readonly generate_state_4: readonly number[];
  }[];
}

async function seedSequences(path: string): Promise<Comparison[]> {
  const file = JSON.parse(await readFile(path, 'utf8')) as SeedSequenceFile;
  return file.cases.map(({ entropy, spawn_key, generate_state_4 }) =>
    compare(
      `entropy ${entropy}, key (${spawn_key.join(', ')})`,
      list(seedWords(BigInt(entropy), spawn_key.map(Number), 4)),
      list(generate_state_4),
      exact,
    ),
  );
}

export const area: GoldenArea = {
  name: 'noise',
  async list(dir) {
    const cases = goldenFiles(dir, '.safetensors').map((file) => file.replace('.safetensors', ''));
    return existsSync(join(dir, 'seed_sequence.json')) ? [...cases, 'seed_sequence'] : cases;
  },
  async run(dir, name) {
    if (name === 'seed_sequence') {
      return { comparisons: await seedSequences(join(dir, 'seed_sequence.json')) };
    }
    const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
    const operation = operations[golden.params.op];
    if (!operation) return { skip: `unknown operation '${golden.params.op}'` };
    return { comparisons: operation(golden) };
  },
};
