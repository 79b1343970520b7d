/** Golden cases `training/grad-op`: operators of torch and their gradients. */
import { join } from 'node:path';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { add, mul, sum } from '../../../engine/tensor/nn.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { type CaseResult, compare } from '../area.ts';
import { openCase } from '../open-case.ts';
import { operators } from './operators/index.ts';
import type { Params } from './operators/operator.ts';
import { type Given, runProgram } from './program.ts';

/** Both the numbers that the operator gives and what their sum, weighted by the case, changes by. */
export async function run(dir: string, name: string): Promise<CaseResult> {
  const operator = operators[name];
  if (!operator) return { skip: `unknown operator '${name}'` };
  const golden = await openCase<{ readonly params?: Params }>(join(dir, `${name}.safetensors`));
  const given = golden.names.flatMap((key): [string, Given][] => {
    if (!key.startsWith('in.')) return [];
    const { data, shape } = golden.tensor(key);
    const isReal = data instanceof Float32Array;
    const array = isReal ? { data, shape } : { ids: golden.numbers(key).data, shape };
    return [[key.slice('in.'.length), array]];
  });
  const wanted = golden.names.filter((key) => key.startsWith('out.grad.'));
  const results = await runProgram(Object.fromEntries(given), (inputs) => {
    const made = operator(inputs, golden.params.params ?? ({} as Params));
    const outputs = Array.isArray(made) ? (made as readonly Tensor[]) : [made as Tensor];
    const several = outputs.length > 1;
    const loss = outputs
      .map((y, i) =>
        sum(
          mul(y, inputs[several ? `grad.${i}` : 'grad']),
          y.shape.map((_, axis) => axis),
        ),
      )
      .reduce((total, part) => add(total, part));
    const found = gradients(
      loss,
      wanted.map((key) => inputs[key.slice('out.grad.'.length)]),
    );
    return {
      ...Object.fromEntries(outputs.map((y, i) => [several ? `out.y.${i}` : 'out.y', y])),
      ...Object.fromEntries(wanted.map((key, i) => [key, found[i]])),
    };
  });
  const expected = golden.names.filter((key) => key.startsWith('out.'));
  return {
    comparisons: expected.map((key) =>
      compare(key, results[key], golden.array(key), golden.tolerance),
    ),
  };
}
