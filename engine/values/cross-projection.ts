/** Conditions that a part of the network first makes into what the rest of it attends to. */
import type { Family } from '../arch/family.ts';
import type { NDArray } from '../array/nd.ts';
import { type NetworkRun, type Weighted, openNetwork } from './network.ts';

/**
 * What a model attends to for a condition [b, tokens, width]: that condition, or the family's projection
 * of it where it has the projection's width.
 */
export async function projectedCross(
  { source, family, config }: Pick<Weighted, 'source'> & { family: Family; config: unknown },
  cross: NDArray,
  run: NetworkRun,
): Promise<NDArray> {
  const { projection } = family;
  if (!projection || cross.shape.at(-1) !== projection.width(config)) return cross;
  const name = `${family.name}-projection`;
  const network = openNetwork(
    run,
    { source, patches: [] },
    { name, build: (g) => projection.network(g, config) },
  );
  return (await network({ cross }, { rows: cross.shape[0] })).cross;
}
