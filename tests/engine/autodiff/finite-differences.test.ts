/**
 * Oracle: central differences. Every op's derivative against how much its cases change along a random
 * direction of each input and of each weight, by the host interpreter in double precision.
 */
import { expect, it } from 'vitest';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { derivations } from '../../../engine/autodiff/rules/index.ts';
import { type HostInput, interpret } from '../../../engine/tensor/interpret.ts';
import { type OpName, ops } from '../../../engine/tensor/ops/index.ts';
import { leafOps } from '../../../engine/tensor/ops/leaves.ts';
import { type Tensor, isOp } from '../../../engine/tensor/tensor.ts';
import { topologicalOrder, trace } from '../../../engine/tensor/trace.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { type WeightSource, memorySource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import { type OpCase, opCases } from '../onnx/op-cases.ts';

const step = 1e-5;
/** Weights are stored in single precision: what they change by is kept well above its last digit. */
const weightStep = 2 ** -10;

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1);
const opOf = ({ name }: OpCase): OpName => /^\w+/.exec(name)![0] as OpName;

/** Where a case is evaluated: its inputs and its weights. */
interface Point {
  readonly inputs: Readonly<Record<string, HostInput>>;
  readonly source: WeightSource;
}

function pointOf({ inputs = {}, ids = {}, weights }: OpCase): Point {
  const real = Object.entries(inputs).map(([name, shape], i) => {
    const data = Float64Array.from(randomFloats(sizeOf(shape), 100 + i));
    return [name, { data, shape }] as const;
  });
  const whole = Object.entries(ids).map(([name, { ids: data, shape }]) => {
    return [name, { data, shape }] as const;
  });
  const all: readonly (readonly [string, HostInput])[] = [...real, ...whole];
  return { inputs: Object.fromEntries(all), source: randomSource(weights) };
}

/** An input or a weight that a case's result depends on. */
interface Variable {
  readonly name: string;
  readonly kind: 'input' | 'weight';
}

/** The result of a case, and what its sum weighted by `seed` changes by. */
async function derived({ build }: OpCase, { inputs, source }: Point, seed: HostInput) {
  const variables: Variable[] = [];
  const program = trace('derivative', source, (g) => {
    const y = build(g);
    const leaves = topologicalOrder([y]).filter(({ dtype }) => dtype === 'f32');
    const wanted: Tensor[] = [];
    for (const leaf of leaves) {
      if (isOp(leafOps.input, leaf)) variables.push({ name: leaf.attrs.name, kind: 'input' });
      else if (isOp(leafOps.param, leaf)) variables.push({ name: leaf.attrs.key, kind: 'weight' });
      else continue;
      wanted.push(leaf);
    }
    const found = gradients(y, wanted, { seed: g.input('seed', 'f32', y.shape) });
    return Object.fromEntries(found.map((gradient, i) => [variables[i].name, gradient]));
  });
  return { variables, gradients: await interpret(program, { ...inputs, seed }) };
}

async function valueOf({ build }: OpCase, { inputs, source }: Point) {
  const program = trace('value', source, (g) => ({ y: build(g) }));
  return { dtype: program.outputs['y'].dtype, y: (await interpret(program, inputs)).y };
}

/** The point moved along a random direction, and how far each of its numbers went. */
async function moved(point: Point, { name, kind }: Variable, by: number): Promise<Point> {
  if (kind === 'input') {
    const { data, shape } = point.inputs[name];
    const direction = randomFloats(data.length, 7);
    const there = Float64Array.from(data, (value, i) => value + by * direction[i]);
    return { ...point, inputs: { ...point.inputs, [name]: { data: there, shape } } };
  }
  const entry = point.source.tensors.get(name)!;
  const data = await readFloats(entry);
  const direction = randomFloats(data.length, 7);
  const there = data.map((value, i) => value + by * direction[i]);
  const changed = memorySource('moved', '', [[name, floatTensor(there, entry.shape, 'F32')]]);
  const tensors = new Map([...point.source.tensors, ...changed.tensors]);
  return { ...point, source: { ...point.source, tensors } };
}

const numbersAt = async (point: Point, { name, kind }: Variable): Promise<ArrayLike<number>> =>
  kind === 'input' ? point.inputs[name].data : readFloats(point.source.tensors.get(name)!);

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);

/** Whether the case has a derivative that can be told from differences; fails where it is another one. */
async function check(testCase: OpCase): Promise<boolean> {
  const here = pointOf(testCase);
  const { dtype, y } = await valueOf(testCase, here);
  if (dtype !== 'f32') return false;
  const seed = { data: randomFloats(y.data.length, 5), shape: y.shape };
  const { variables, gradients: found } = await derived(testCase, here, seed);
  for (const variable of variables) {
    const by = variable.kind === 'input' ? step : weightStep;
    const [before, after] = [await moved(here, variable, -by), await moved(here, variable, by)];
    const [low, high] = [await valueOf(testCase, before), await valueOf(testCase, after)];
    const difference = dot(seed.data, high.y.data) - dot(seed.data, low.y.data);
    const from = await numbersAt(before, variable);
    const way = Float64Array.from(await numbersAt(after, variable), (value, i) => value - from[i]);
    const expected = difference / (2 * by);
    const got = dot(found[variable.name].data, way) / (2 * by);
    const allowed = 2e-6 * (1 + Math.abs(expected));
    expect(Math.abs(got - expected), `${variable.name}: ${got}, ${expected}`).toBeLessThan(allowed);
  }
  return variables.length > 0;
}

/** A gradient that is meant to be another one than that of the value. */
const isCut = (name: OpName): boolean => name === 'detach';

const checked = new Set<OpName>();

it.each(opCases.filter((testCase) => !isCut(opOf(testCase))))('$name', async (testCase) => {
  if (await check(testCase)) checked.add(opOf(testCase));
});

it('leaves out no op that is derived', () => {
  const names = Object.keys(ops) as OpName[];
  const derivedOps = names.filter((name) => derivations[name] !== 'constant');
  expect(derivedOps.filter((name) => !checked.has(name))).toEqual([]);
});
