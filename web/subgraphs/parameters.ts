import type { SubgraphNode } from '@comfyorg/litegraph';
import { type LGraphNode } from '@comfyorg/litegraph';
import { proxiesOf, withLevel, withProxies } from '../../engine/workflow/subgraphs/definitions.ts';
import { holderOf } from '../../engine/workflow/subgraphs/definitions.ts';
import { readLevel } from '../../engine/workflow/subgraphs/level.ts';
import { recommendedWidgets } from '../../engine/workflow/subgraphs/recommended.ts';
import type { ObjectInfo as ClassInfo } from '../../engine/workflow/types.ts';
import type { PageParts } from '../panels/parts.ts';
import { levelOf } from './edits.ts';

/** A widget inside a subgraph that its instance may show. */
export interface Parameter {
  readonly nodeId: string;
  readonly name: string;
  readonly label: string;
  /** Title of the inner node. */
  readonly node: string;
}

/** The widgets that an instance shows of its inner nodes, in order, and those it could show. */
export function parametersOf(instance: SubgraphNode): {
  shown: readonly Parameter[];
  others: readonly Parameter[];
} {
  const all = new Map<string, Parameter>();
  for (const node of instance.subgraph.nodes) {
    for (const name of widgetsOf(node)) {
      const parameter = {
        nodeId: String(node.id),
        name,
        label: labelOf(node, name),
        node: node.title,
      };
      all.set(keyOf(parameter), parameter);
    }
  }
  const listed = proxiesOf(instance as unknown as Record<string, unknown>);
  const shown = listed.flatMap(([nodeId, name]) => all.get(keyOf({ nodeId, name })) ?? []);
  const keys = new Set(shown.map(keyOf));
  return { shown, others: [...all.values()].filter((each) => !keys.has(keyOf(each))) };
}

export const keyOf = ({ nodeId, name }: Pick<Parameter, 'nodeId' | 'name'>): string =>
  `${nodeId} ${name}`;

/** Names of a node's widgets that nothing is linked to and that hold a value. */
function widgetsOf(node: LGraphNode): string[] {
  const linked = new Set(node.inputs.filter(({ link }) => link !== null).map(({ name }) => name));
  return (node.widgets ?? [])
    .filter(({ name, type }) => name !== '' && type !== 'button' && type !== 'custom')
    .map(({ name }) => name)
    .filter((name) => !linked.has(name));
}

const slotOf = (node: LGraphNode, name: string) =>
  node.inputs.find((input) => input.widget?.name === name);

function labelOf(node: LGraphNode, name: string): string {
  return slotOf(node, name)?.label ?? node.widgets?.find((w) => w.name === name)?.label ?? name;
}

/** Shows these parameters on an instance, in this order. */
export function showParameters(
  { documents, canvas }: PageParts['editor'],
  id: SubgraphNode['id'],
  shown: readonly Parameter[],
): void {
  const within = levelOf({ canvas });
  documents.rewrite((workflow) => {
    const level = readLevel(holderOf(workflow, within));
    const nodes = level.nodes.map((node) => {
      if (String(node.id) !== String(id)) return node;
      // Widgets of the subgraph's own inputs are not chosen here; they keep their places.
      const own = proxiesOf(node).filter(([inner]) => inner === '-1');
      return withProxies(node, [...own, ...shown.map((p) => [p.nodeId, p.name] as const)]);
    });
    return withLevel(workflow, within, { ...level, nodes });
  });
}

/** Gives a parameter another label; an empty one takes it away. */
export function renameParameter(
  { documents }: PageParts['editor'],
  instance: SubgraphNode,
  { nodeId, name }: Parameter,
  label: string,
): void {
  const node = instance.subgraph.nodes.find(({ id }) => String(id) === nodeId);
  const slot = node && slotOf(node, name);
  if (slot === undefined) return;
  slot.label = label.trim() === '' ? undefined : label.trim();
  documents.rewrite((workflow) => workflow);
}

/** The parameters that a new subgraph of the same nodes would show. */
export function recommended(
  instance: SubgraphNode,
  parameters: readonly Parameter[],
  objectInfo: PageParts['objectInfo'],
): readonly Parameter[] {
  const names = new Map(
    instance.subgraph.nodes.map((node) => [
      String(node.id),
      recommendedWidgets(
        node.serialize() as unknown as Parameters<typeof recommendedWidgets>[0],
        objectInfo as unknown as ClassInfo,
      ),
    ]),
  );
  return parameters.filter(({ nodeId, name }) => names.get(nodeId)?.includes(name));
}
