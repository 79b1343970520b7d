/** torch's einsum, as matrix products. */
import { matmul, permute, reshape, sum } from '../../../../engine/tensor/nn.ts';
import { type Dim, sizeOfShape } from '../../../../engine/tensor/shape.ts';
import type { Tensor } from '../../../../engine/tensor/tensor.ts';

/** A tensor and a letter for each of its axes. */
interface Named {
  readonly x: Tensor;
  readonly letters: readonly string[];
}

/** `bhid,bhjd->bhij` and the like: operands with every letter at most once each. */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const [left, right] = equation.split('->');
  const parts = left.split(',').map((letters, i) => ({ x: operands[i], letters: [...letters] }));
  const wanted = [...right];
  const [first, ...others] = parts;
  const joined = others.reduce<Named>((all, part, i) => {
    const later = others.slice(i + 1).flatMap(({ letters }) => letters);
    return product(all, part, new Set([...wanted, ...later]));
  }, first);
  return ordered(joined, wanted);
}

/** Both over their common letters; those that nothing needs afterwards are summed over. */
function product(left: Named, right: Named, needed: ReadonlySet<string>): Named {
  const a = without(left, (letter) => !needed.has(letter) && !right.letters.includes(letter));
  const b = without(right, (letter) => !needed.has(letter) && !left.letters.includes(letter));
  const both = a.letters.filter((letter) => b.letters.includes(letter));
  const batch = both.filter((letter) => needed.has(letter));
  const inner = both.filter((letter) => !needed.has(letter));
  const rows = a.letters.filter((letter) => !both.includes(letter));
  const columns = b.letters.filter((letter) => !both.includes(letter));
  const sizes = new Map<string, Dim>();
  for (const { x, letters } of [a, b]) letters.forEach((l, axis) => sizes.set(l, x.shape[axis]));
  const shape = (letters: readonly string[]): Dim[] => letters.map((letter) => sizes.get(letter)!);
  const matrix = (part: Named, ...groups: readonly (readonly string[])[]): Tensor =>
    reshape(
      ordered(part, groups.flat()),
      groups.map((letters) => sizeOfShape(shape(letters))),
    );
  const x = matmul(matrix(a, batch, rows, inner), matrix(b, batch, inner, columns));
  const letters = [...batch, ...rows, ...columns];
  return { x: reshape(x, shape(letters)), letters };
}

function without({ x, letters }: Named, drop: (letter: string) => boolean): Named {
  const axes = letters.flatMap((letter, axis) => (drop(letter) ? [axis] : []));
  if (axes.length === 0) return { x, letters };
  return { x: sum(x, axes), letters: letters.filter((letter) => !drop(letter)) };
}

const ordered = ({ x, letters }: Named, wanted: readonly string[]): Tensor =>
  permute(
    x,
    wanted.map((letter) => letters.indexOf(letter)),
  );
