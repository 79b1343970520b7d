/** Nodes of the community pack, run by themselves. */
import { nodes } from '../../custom_nodes/community/index.ts';

const byName = new Map(nodes.map((node) => [node.name, node]));

/** What a node gives, as it gives it. */
export async function calling(
  name: string,
  inputs: Record<string, unknown>,
  context: object = {},
): Promise<unknown> {
  return byName.get(name)!.run(inputs, context as never);
}

/** The outputs of a node. */
export async function resultOf(
  name: string,
  inputs: Record<string, unknown>,
  context: object = {},
): Promise<unknown[]> {
  const result = (await calling(name, inputs, context)) as unknown[] | { result: unknown[] };
  return Array.isArray(result) ? result : result.result;
}

/** The nodes that a node becomes, in their order, and what it gives: links are `[position, slot]`. */
export async function graphOf(
  name: string,
  inputs: Record<string, unknown>,
  context: object = {},
): Promise<{
  classes: string[];
  made: [classType: string, inputs: Record<string, unknown>][];
  result: unknown[];
}> {
  const made: [string, Record<string, unknown>][] = [];
  const newGraph = () => ({
    node(classType: string, given: Record<string, unknown> = {}) {
      const id = `${made.push([classType, given])}`;
      return { out: (slot: number) => [id, slot] };
    },
    finalize: () => made.length,
  });
  const result = await resultOf(name, inputs, { newGraph, ...context });
  return { classes: made.map(([classType]) => classType), made, result };
}
