/** Which widgets of a node a new subgraph shows by default: those that ComfyUI's page chooses. */
import type { ObjectInfo } from '../types.ts';
import { inputsInOrder, isWidget } from '../widgets.ts';
import { inputsOf, type StoredNode } from './level.ts';

/** Classes all of whose widgets are shown, and widgets that are shown of any class. */
const classes = new Set(['CLIPTextEncode', 'LoadImage', 'SaveImage', 'PreviewImage']);
const names = new Set(['seed']);

/** Names of the widgets to show, those that nothing is linked to. */
export function recommendedWidgets(node: StoredNode, objectInfo: ObjectInfo): string[] {
  if (!Object.hasOwn(objectInfo, node.type)) return [];
  const linked = new Set(
    inputsOf(node)
      .filter(({ link }) => typeof link === 'number')
      .map(({ name }) => name),
  );
  return inputsInOrder(objectInfo[node.type])
    .filter(([name, input]) => isWidget(input) && !linked.has(name))
    .map(([name]) => name)
    .filter((name) => classes.has(node.type) || names.has(name));
}
