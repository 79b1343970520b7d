import {
  BaseWidget,
  SubgraphNode,
  type LGraph,
  type LGraphNode,
  type Subgraph,
} from '@comfyorg/litegraph';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import { proxiesOf } from '../../engine/workflow/subgraphs/definitions.ts';
import { settleValues } from './source.ts';

/**
 * Shows inner widgets on subgraph nodes that list them in `properties.proxyWidgets`
 * (`[inner node id, widget name]`): editing one edits the inner node. Innermost graphs first.
 */
export function applyProxyWidgets(graph: LGraph | Subgraph, seen = new Set<unknown>()): void {
  if (seen.has(graph)) return;
  seen.add(graph);
  for (const node of graph.nodes) {
    if (!(node instanceof SubgraphNode)) continue;
    applyProxyWidgets(node.subgraph, seen);
    const proxies = proxiesOf(node as unknown as Record<string, unknown>);
    if (proxies.length === 0) continue;
    for (const [id, name] of proxies) {
      const inner = node.subgraph.nodes.find((n) => String(n.id) === id);
      const widget = inner && widgetNamed(inner, name);
      if (inner !== undefined && widget !== undefined) addProxy(node, inner, widget);
    }
    settleValues(node);
    const needed = node.computeSize();
    node.setSize([Math.max(node.size[0], needed[0]), Math.max(node.size[1], needed[1])]);
  }
}

/** A widget by the name that an instance lists; files of some front ends put ids before it (`6: 3: text`). */
function widgetNamed(node: LGraphNode, name: string): BaseWidget | undefined {
  const bare = name.replace(/^(\d+: )+/, '');
  const found = [name, bare]
    .map((each) => node.widgets?.find((w) => w.name === each))
    .find((widget) => widget !== undefined);
  return found instanceof BaseWidget ? (found as BaseWidget) : undefined;
}

/** Inner widgets that are shown, by their stand-ins. */
const shown = new WeakMap<object, BaseWidget>();

function addProxy(node: SubgraphNode, inner: LGraphNode, widget: BaseWidget): void {
  // An input of the subgraph that leads to the widget shows it already.
  const slot = inner.inputs.find((input) => input.widget?.name === widget.name);
  if (slot?.link !== null && slot?.link !== undefined) return;
  if (node.widgets.some((w) => shown.get(w) === widget)) return;
  const proxy: BaseWidget = widget.createCopyForNode(node);
  proxy.serialize = false;
  proxy.label = slot?.label ?? widget.label ?? widget.name;
  if (node.widgets.some((w) => w.name === widget.name)) {
    proxy.name = `${inner.id}: ${widget.name}`;
    proxy.label = `${inner.title}: ${proxy.label}`;
  }
  Object.defineProperty(proxy, 'value', {
    get: () => widget.value,
    set: (value: IBaseWidget['value']) => {
      widget.value = value;
    },
    configurable: true,
  });
  shown.set(proxy, widget);
  node.widgets.push(proxy);
}
