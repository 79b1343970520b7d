/** The levels of a stored workflow: the root, and the definitions of its subgraphs. */
import { asArray, isRecord } from '../records.ts';
import { readLevel, writeLevel, type Level, type Loose, type StoredNode } from './level.ts';

/** The definitions of subgraphs in a workflow. */
export const definitionsOf = (workflow: Loose): Loose[] =>
  isRecord(workflow.definitions) ? asArray(workflow.definitions.subgraphs).filter(isRecord) : [];

/** The record that holds a level: the workflow, or the definition of that id. Throws a TypeError when there is none. */
export function holderOf(workflow: Loose, within: string | null): Loose {
  const holder =
    within === null ? workflow : definitionsOf(workflow).find(({ id }) => id === within);
  if (holder === undefined) throw new TypeError(`no subgraph '${within}' in this workflow`);
  return holder;
}

/** The workflow with another level there. */
export function withLevel(workflow: Loose, within: string | null, level: Level): Loose {
  return withHolder(workflow, within, writeLevel(holderOf(workflow, within), level));
}

function withHolder(workflow: Loose, within: string | null, holder: Loose): Loose {
  if (within === null) return holder;
  return withDefinitions(
    workflow,
    definitionsOf(workflow).map((each) => (each.id === within ? holder : each)),
  );
}

/** The workflow with these definitions. */
export function withDefinitions(workflow: Loose, subgraphs: readonly Loose[]): Loose {
  const definitions = isRecord(workflow.definitions) ? workflow.definitions : {};
  return { ...workflow, definitions: { ...definitions, subgraphs } };
}

/** The workflow without the definition of that id, if no instance of it is left. */
export function withoutUnused(workflow: Loose, id: string): Loose {
  const isUsed = [workflow, ...definitionsOf(workflow)].some((holder) =>
    readLevel(holder).nodes.some(({ type }) => type === id),
  );
  if (isUsed) return workflow;
  return withDefinitions(
    workflow,
    definitionsOf(workflow).filter((each) => each.id !== id),
  );
}

/** The workflow with every instance of a definition changed, wherever it is. */
export function withInstances(
  workflow: Loose,
  definition: string,
  change: (instance: StoredNode) => StoredNode,
): Loose {
  const inHolder = (holder: Loose): Loose => ({
    ...holder,
    nodes: asArray(holder.nodes).map((node) =>
      isRecord(node) && node.type === definition ? change(node as StoredNode) : node,
    ),
  });
  const root = inHolder(workflow);
  return definitionsOf(root).length === 0
    ? root
    : withDefinitions(root, definitionsOf(root).map(inHolder));
}

/** Inner widgets that an instance shows: `[inner node id, widget name]`; `-1` names an own input. */
export function proxiesOf(instance: Loose): [string, string][] {
  const { proxyWidgets } = isRecord(instance.properties) ? instance.properties : {};
  return asArray(proxyWidgets).flatMap((entry): [string, string][] => {
    const [id, name] = asArray(entry);
    const isId = typeof id === 'string' || typeof id === 'number';
    return isId && typeof name === 'string' ? [[String(id), name]] : [];
  });
}

/** An instance that shows these inner widgets. */
export const withProxies = (
  instance: StoredNode,
  proxies: readonly (readonly [string, string])[],
): StoredNode => ({
  ...instance,
  properties: {
    ...(isRecord(instance.properties) ? instance.properties : {}),
    proxyWidgets: proxies.map(([id, name]) => [id, name]),
  },
});
