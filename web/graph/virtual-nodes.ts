import {
  LGraphCanvas,
  LiteGraph,
  TitleMode,
  type LGraphNode,
  type LLink,
} from '@comfyorg/litegraph';
import type { EditorHooks } from './hooks.ts';
import { NoodleNode } from './node.ts';
import { colorOfType, uiFont } from './theme.ts';
import { MarkdownText } from './widgets/markdown-text.ts';
import { Multiline } from './widgets/multiline.ts';
import { primitiveNodeClass } from './primitive-node.ts';

/** Registers ComfyUI's editor-only nodes. */
export function registerVirtualNodes(hooks: EditorHooks): void {
  LiteGraph.registerNodeType('Reroute', Reroute);
  LiteGraph.registerNodeType('PrimitiveNode', primitiveNodeClass(hooks));
  LiteGraph.registerNodeType('Note', noteClass('Note', hooks));
  LiteGraph.registerNodeType('MarkdownNote', noteClass('MarkdownNote', hooks));
}

/** The old reroute node: a title-less knot that takes the type of what runs through it. */
export class Reroute extends NoodleNode {
  static override title = 'Reroute';
  static override type = 'Reroute';
  static title_mode = TitleMode.NO_TITLE;

  constructor(title: string) {
    super(title || 'Reroute', 'Reroute');
    this.isVirtualNode = true;
    this.properties = { showOutputText: false, horizontal: false };
    this.addInput('', '*');
    this.addOutput('', '*');
    this.setSize([75, 26]);
    this.onConnectionsChange = (_type, _index, _connected, _link) => {
      if (this.graph) refreshReroutes(this.graph.nodes);
    };
    this.onDrawForeground = (ctx) => {
      if (this.properties.showOutputText !== true) return;
      ctx.save();
      ctx.font = `11px ${uiFont}`;
      ctx.textAlign = 'right';
      ctx.fillStyle = colorOfType(this.outputs[0]?.type);
      ctx.fillText(String(this.outputs[0]?.type ?? ''), this.size[0] - 18, 17);
      ctx.restore();
    };
  }

  override computeSize(): [number, number] {
    return [this.properties.showOutputText === true ? 110 : 75, 26];
  }
}

/** Gives every reroute the type that runs through it, found upstream first, then downstream. */
export function refreshReroutes(nodes: readonly LGraphNode[]): void {
  const reroutes = nodes.filter((n): n is Reroute => n instanceof Reroute);
  for (const reroute of reroutes) {
    const type = upstreamType(reroute) ?? downstreamType(reroute) ?? '*';
    const { graph } = reroute;
    if (graph === null || reroute.outputs[0] === undefined) continue;
    reroute.outputs[0].type = type;
    for (const id of reroute.outputs[0].links ?? []) {
      const link = graph.getLink(id);
      if (link) link.color = colorOfType(type);
    }
    const incoming = graph.getLink(reroute.inputs[0]?.link);
    if (incoming && incoming.type === '*') incoming.color = colorOfType(type);
  }
}

function upstreamType(start: Reroute): string | null {
  const seen = new Set<LGraphNode>();
  let node: LGraphNode = start;
  while (!seen.has(node)) {
    seen.add(node);
    const link: LLink | null | undefined = node.graph?.getLink(node.inputs[0]?.link);
    const origin = link ? node.graph?.getNodeById(link.origin_id) : null;
    if (!link || !origin) return null;
    if (!(origin instanceof Reroute)) {
      const type = origin.outputs[link.origin_slot]?.type;
      return type === undefined || type === '*' ? null : String(type);
    }
    node = origin;
  }
  return null;
}

function downstreamType(start: Reroute): string | null {
  const seen = new Set<LGraphNode>();
  const queue: LGraphNode[] = [start];
  for (const node of queue) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const id of node.outputs[0]?.links ?? []) {
      const link = node.graph?.getLink(id);
      const target = link ? node.graph?.getNodeById(link.target_id) : null;
      if (!link || !target) continue;
      if (target instanceof Reroute) queue.push(target);
      else {
        const type = target.inputs[link.target_slot]?.type;
        if (type !== undefined && type !== '*') return String(type);
      }
    }
  }
  return null;
}

function noteClass(type: 'Note' | 'MarkdownNote', hooks: EditorHooks): typeof LGraphNode {
  const title = type === 'Note' ? 'Note' : 'Markdown Note';
  return class extends NoodleNode {
    static override title = title;
    static override type = type;

    constructor(givenTitle: string) {
      super(givenTitle || title, type);
      this.isVirtualNode = true;
      this.color = LGraphCanvas.node_colors.yellow.color;
      this.bgcolor = LGraphCanvas.node_colors.yellow.bgcolor;
      const Field = type === 'Note' ? Multiline : MarkdownText;
      this.addCustomWidget(
        new Field(
          {
            name: type === 'Note' ? 'text' : '',
            type: 'text',
            value: '',
            options: {},
            y: 0,
            settings: { placeholder: 'Write a note', onEdited: hooks.edited },
          },
          this,
        ),
      );
      this.setSize([260, 120]);
    }
  };
}
