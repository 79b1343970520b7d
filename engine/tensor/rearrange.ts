/** Named-axis reshapes and permutes in the notation of einops (Rogozhnikov 2022). */
import { NoodleError } from '../errors.ts';
import { type Dim, dimText, floorDivDim, mulDim } from './shape.ts';
import { permute, reshape } from './ops/movement.ts';
import type { Tensor } from './tensor.ts';

/**
 * `rearrange(x, 'b (h w) c -> b c h w', { h, w })`: splits the groups of the left side, orders the
 * axes as on the right, joins the groups of the right side. Sizes of single axes come from x; in a
 * group all names but one must be given. `1` on the right makes a new axis of size one.
 */
export function rearrange(
  x: Tensor,
  pattern: string,
  sizes: Readonly<Record<string, Dim>> = {},
): Tensor {
  const sides = pattern.split('->');
  const fail = (problem: string): never => {
    throw new NoodleError('PROGRAM', { reason: `rearrange '${pattern}': ${problem}` });
  };
  if (sides.length !== 2) return fail('expected one "->"');
  const [left, right] = sides.map(parseSide);
  if (left.length !== x.shape.length) {
    return fail(`the left side has ${left.length} axes, the tensor ${x.shape.length}`);
  }
  const size = new Map<string, Dim>();
  left.forEach((group, axis) => splitSizes(group, x.shape[axis], sizes, size, fail));
  const from = left.flat();
  const to = right.flat().filter((name) => name !== '1');
  if ([...from].sort().join() !== [...to].sort().join())
    return fail('the names of the sides differ');

  let y = x;
  if (left.some((group) => group.length !== 1)) {
    y = reshape(
      y,
      from.map((name) => size.get(name)!),
    );
  }
  const order = to.map((name) => from.indexOf(name));
  if (order.some((axis, i) => axis !== i)) y = permute(y, order);
  if (right.some((group) => group.length !== 1 || group[0] === '1')) {
    const joined = right.map((group) =>
      group.reduce<Dim>((n, name) => (name === '1' ? n : mulDim(n, size.get(name)!)), 1),
    );
    y = reshape(y, joined);
  }
  return y;
}

/** `b (h w) c` to [['b'], ['h', 'w'], ['c']]. */
function parseSide(side: string): string[][] {
  const groups = side.match(/\([^()]*\)|\w+/g) ?? [];
  return groups.map((group) => group.match(/\w+/g) ?? []);
}

function splitSizes(
  group: readonly string[],
  dim: Dim,
  given: Readonly<Record<string, Dim>>,
  size: Map<string, Dim>,
  fail: (problem: string) => never,
): void {
  const unknown = group.filter((name) => !Object.hasOwn(given, name));
  let rest = dim;
  for (const name of group) {
    if (size.has(name)) fail(`'${name}' appears twice on the left`);
    if (!unknown.includes(name)) {
      size.set(name, given[name]);
      rest = floorDivDim(rest, given[name]);
    }
  }
  if (unknown.length > 1) fail(`the sizes of ${unknown.join(' and ')} are not given`);
  if (unknown.length === 1) size.set(unknown[0], rest);
  else if (rest !== 1) fail(`the given sizes leave ${dimText(rest)} of ${dimText(dim)}`);
}
