import {
  LGraphCanvas,
  LGraphEventMode,
  LGraphGroup,
  LGraphNode,
  LiteGraph,
  Reroute,
  SubgraphNode,
  type ContextMenu,
  type IContextMenuValue,
  type LGraph,
  type ReadOnlyPoint,
  type Positionable,
  type Subgraph,
} from '@comfyorg/litegraph';
import type { CanvasHost } from './canvas-host.ts';
import { t } from '../locale/translate.ts';
import { linkMenu, searchAtLinkEnd } from './connect.ts';
import { makeReady, pastePlace } from './paste.ts';
import { subgraphsWithin } from './subgraphs.ts';
import { noteUse } from './used-nodes.ts';
import { editInline } from './widgets/inline-editor.ts';
import { drawFarNode } from './far-view.ts';
import { groupSelection, renameGroup } from './groups.ts';
import { imageMeant, imagesOf } from './node-pictures.ts';
import { colorName } from './node-colors.ts';
import { drawNodeShape } from './node-shape.ts';
import { mix, vivid } from './color.ts';
import { palette } from './palette.ts';
import { showItems } from './view.ts';

/** Where litegraph keeps what was copied. */
export const clipboardKey = 'litegrapheditor_clipboard';

/** litegraph's canvas with this editor's menus, search, copying and dimming of unused nodes. */
export class EditorCanvas extends LGraphCanvas {
  readonly host: CanvasHost;
  /** Called after every drawing, by those that show something beside or over the canvas. */
  readonly drawn = new Set<() => void>();
  // No initial value: litegraph's constructor draws, and would find a private field missing.
  private drawsFront?: boolean;
  /** What parts of the page add to the menu of the empty canvas, and to a node's. */
  readonly groundParts: (() => readonly (IContextMenuValue<string> | null)[])[] = [];
  readonly menuParts: ((node: LGraphNode) => readonly IContextMenuValue<string>[])[] = [];

  constructor(element: HTMLCanvasElement, graph: LGraph, host: CanvasHost) {
    super(element, graph);
    this.host = host;
    this.bgcanvas = element;
  }

  // Copy, paste and select-all come as page events see clipboard.ts and commands/.
  override processKey(event: KeyboardEvent): void {
    const editing = event.ctrlKey || event.metaKey;
    if (editing && ['c', 'v', 'x', 'a'].includes(event.key.toLowerCase())) return;
    super.processKey(event);
    if (event.type === 'keydown' && (event.key === 'Delete' || event.key === 'Backspace')) {
      this.host.changed();
    }
  }

  override processMouseDown(event: PointerEvent): void {
    this.lookAgain();
    super.processMouseDown(event);
  }

  /** The node at a place of the graph, [x, y] in its units. */
  nodeAt([x, y]: ReadOnlyPoint): LGraphNode | null {
    this.lookAgain();
    return this.graph?.getNodeOnPos(x, y, this.visible_nodes) ?? null;
  }

  /**
   * litegraph looks for what lies under the pointer among what it drew last; nodes that came since
   * then, by undo say, are there too, and those that went are not.
   */
  private lookAgain(): void {
    if (this.graph === null || !this.dirty_canvas) return;
    this.ds.computeVisibleArea(this.viewport);
    this.computeVisibleNodes(undefined, this.visible_nodes);
  }

  override drawNode(node: LGraphNode, ctx: CanvasRenderingContext2D): void {
    if (this.low_quality) return drawFarNode(this, node, ctx);
    const alpha = this.editor_alpha;
    if (node.mode === LGraphEventMode.NEVER) this.editor_alpha = 0.5;
    super.drawNode(node, ctx);
    this.editor_alpha = alpha;
  }

  /** Texts too small to be read are not drawn. */
  override drawNodeWidgets(node: LGraphNode, _y: null, ctx: CanvasRenderingContext2D): void {
    const lowQuality = this.ds.scale < 0.45;
    node.drawWidgets(ctx, { lowQuality, editorAlpha: this.editor_alpha });
  }

  // Grid, groups and links are drawn straight below the nodes: copying them from a canvas of their
  // own takes longer where no graphics card does it, and panning draws both anyway.
  override drawBackCanvas(): void {
    if (this.drawsFront === true) super.drawBackCanvas();
    this.dirty_bgcanvas = false;
    this.dirty_canvas = this.drawsFront !== true;
  }

  override drawFrontCanvas(): void {
    this.drawsFront = true;
    super.drawFrontCanvas();
    this.drawsFront = false;
  }

  /** The dark edge of links is seen only near by, and takes longer to draw than the links. */
  override drawConnections(ctx: CanvasRenderingContext2D): void {
    this.render_connections_border = palette.scheme === 'dark' && this.ds.scale >= 0.6;
    super.drawConnections(ctx);
  }

  override drawNodeShape(node: LGraphNode, ctx: CanvasRenderingContext2D): void {
    drawNodeShape(this, node, ctx);
  }

  /**
   * Copies the selection as text that keeps 64-bit seeds (as digits in quotes). Throws where the
   * browser has no room for it, after saying so: nothing may be cut then.
   */
  override copyToClipboard(items?: Iterable<Positionable>): void {
    const nodes: unknown[] = [];
    const groups: unknown[] = [];
    const reroutes: unknown[] = [];
    const links: unknown[] = [];
    const subgraphs = new Set<Subgraph>();
    for (const item of items ?? this.selectedItems) {
      if (item instanceof LGraphNode) {
        const data = item.clone()?.serialize();
        if (item.clonable === false || data === undefined) continue;
        nodes.push({ ...data, id: item.id });
        for (const { link } of item.inputs) {
          const found = this.graph?.getLink(link);
          if (found) links.push(found.asSerialisable());
        }
        if (item instanceof SubgraphNode) subgraphs.add(item.subgraph);
      } else if (item instanceof LGraphGroup) groups.push(item.serialize());
      else if (item instanceof Reroute) reroutes.push(item.asSerialisable());
    }
    const definitions = [...subgraphs].map((s) => s.clone(true).asSerialisable());
    const inner = [...subgraphsWithin(subgraphs)].map((s) => s.asSerialisable());
    const text = JSON.stringify(
      { nodes, groups, reroutes, links, subgraphs: definitions, inner },
      (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    );
    try {
      localStorage.setItem(clipboardKey, text);
    } catch (error) {
      this.host.complain(t('Nothing was copied: the browser has no more room, close some tabs'));
      throw error;
    }
  }

  override showSearchBox(event: MouseEvent): HTMLDivElement {
    const at = this.convertEventToCanvasOffset(event);
    this.host.search({
      x: event.clientX,
      y: event.clientY,
      pick: (type) => this.addNode(type, [at[0], at[1]]),
    });
    return document.createElement('div');
  }

  /** A link was dropped on empty canvas: search among the nodes that take it, and connect. */
  override showConnectionMenu(
    options: Parameters<LGraphCanvas['showConnectionMenu']>[0],
  ): ContextMenu<string> | undefined {
    searchAtLinkEnd(this, options);
    return undefined;
  }

  override showLinkMenu(
    segment: Parameters<LGraphCanvas['showLinkMenu']>[0],
    event: Parameters<LGraphCanvas['showLinkMenu']>[1],
  ): boolean {
    new LiteGraph.ContextMenu(linkMenu(this, segment, event), { event });
    return false;
  }

  override pasteFromClipboard(
    options: NonNullable<Parameters<LGraphCanvas['pasteFromClipboard']>[0]> = {},
  ): void {
    if (this.graph !== null) makeReady(this.graph, localStorage.getItem(clipboardKey));
    super.pasteFromClipboard({ position: pastePlace(this), ...options });
  }

  /** Links of selected nodes stand out on every ground; litegraph's own white does on dark ones. */
  override renderLink(...args: Parameters<LGraphCanvas['renderLink']>): void {
    const id = args[3]?.id;
    const all = this.highlighted_links;
    if (id !== undefined && all[id]) {
      args[6] = palette.strong;
      this.highlighted_links = {};
    }
    super.renderLink(...args);
    this.highlighted_links = all;
  }

  /** Adds a node of a registered type with its title bar at a point of the graph. */
  addNode(type: string, at: readonly [number, number]): LGraphNode | null {
    const node = LiteGraph.createNode(type);
    if (node === null || this.graph === null) return null;
    this.graph.beforeChange();
    node.pos = [at[0], at[1] + 15];
    this.graph.add(node);
    this.graph.afterChange();
    this.selectItems([node]);
    noteUse(type);
    this.host.changed();
    return node;
  }

  /** Renames a node in place, over its title. */
  rename(node: LGraphNode): void {
    editInline({
      canvas: this,
      node,
      widget: { name: t('Title'), y: 5 - LiteGraph.NODE_TITLE_HEIGHT },
      text: node.title,
      commit: (text) => {
        node.title =
          text.trim() === '' ? ((node.constructor as { title?: string }).title ?? '') : text;
        this.host.changed();
      },
    });
  }

  /** Switches the selected nodes between normal and muted (2) or bypassed (4). */
  toggleMode(mode: LGraphEventMode): void {
    const nodes = [...this.selectedItems].filter((item) => item instanceof LGraphNode);
    const all = nodes.every((node) => node.mode === mode);
    for (const node of nodes) node.mode = all ? LGraphEventMode.ALWAYS : mode;
    this.setDirty(true, true);
    this.host.changed();
  }

  override getNodeMenuOptions(node: LGraphNode): ReturnType<LGraphCanvas['getNodeMenuOptions']> {
    const selected = (): LGraphNode[] => [
      ...new Set([node, ...Object.values(this.selected_nodes)]),
    ];
    const each = (change: (n: LGraphNode) => void) => () => {
      selected().forEach(change);
      this.setDirty(true, true);
      this.host.changed();
    };
    const mode = (target: LGraphEventMode) =>
      each((n) => {
        n.mode = n.mode === target ? LGraphEventMode.ALWAYS : target;
      });
    const items: (IContextMenuValue<string> | null)[] = [];
    const index = imageMeant(node, this.graph_mouse);
    if (imagesOf(node).length > 0) {
      items.push(
        { content: t('Open image'), callback: () => this.host.openImage(node, index) },
        { content: t('Open in mask editor'), callback: () => this.host.editMask(node, index) },
        null,
      );
    }
    items.push(
      { content: t('Rename'), callback: () => this.rename(node) },
      {
        content: t('Colour'),
        has_submenu: true,
        submenu: { options: colorItems(each) },
      } as unknown as IContextMenuValue<string>,
      {
        content: node.flags.collapsed ? t('Expand') : t('Collapse'),
        callback: each((n) => n.collapse(true)),
      },
      { content: node.pinned ? t('Unpin') : t('Pin'), callback: each((n) => n.pin()) },
      null,
      {
        content: node.mode === LGraphEventMode.NEVER ? t('Unmute') : t('Mute'),
        callback: mode(LGraphEventMode.NEVER),
      },
      {
        content: node.mode === LGraphEventMode.BYPASS ? t('Remove bypass') : t('Bypass'),
        callback: mode(LGraphEventMode.BYPASS),
      },
      null,
      {
        content: t('Duplicate'),
        callback: () => {
          this.copyToClipboard(selected());
          this.pasteFromClipboard({ position: [node.pos[0] + 30, node.pos[1] + 30] });
          this.host.changed();
        },
      },
      ...this.menuParts.flatMap((part) => part(node)),
      {
        content: t('Remove'),
        callback: each((n) => n.graph?.remove(n)),
      },
    );
    return items;
  }

  override getCanvasMenuOptions(): IContextMenuValue<string>[] {
    const at: [number, number] = [this.graph_mouse[0], this.graph_mouse[1]];
    return [
      {
        content: t('Add node'),
        callback: (_value: unknown, _options: unknown, event?: MouseEvent) => {
          this.host.search({
            x: event?.clientX ?? innerWidth / 2,
            y: event?.clientY ?? innerHeight / 2,
            pick: (type) => this.addNode(type, at),
          });
        },
      },
      {
        content: t('Add group'),
        callback: () => {
          const group = new LGraphGroup(t('Group'));
          group.pos = at;
          this.graph?.add(group);
          this.host.changed();
          renameGroup(this, group);
        },
      },
      ...(this.selectedItems.size > 1
        ? [{ content: t('Group the selection'), callback: () => groupSelection(this) }]
        : []),
      {
        content: t('Fit the view'),
        callback: () => this.fitView(),
      },
      ...this.groundParts.flatMap((part) => part()),
    ] as IContextMenuValue<string>[];
  }

  /** Moves and zooms so that everything is in sight, never larger than life. */
  fitView(): void {
    for (const node of this.graph?.nodes ?? []) node.updateArea(this.ctx);
    const items = [...(this.graph?.nodes ?? []), ...(this.graph?.groups ?? [])];
    if (items.length > 0) return showItems(this, items);
    this.ds.scale = 1;
    this.ds.offset = [0, 0];
    this.setDirty(true, true);
  }
}

type Each = (change: (n: LGraphNode) => void) => () => void;

function colorItems(each: Each): unknown[] {
  const named = Object.entries(LGraphCanvas.node_colors).map(([name, option]) => ({
    content: colorName(name),
    swatch: mix(palette.node, vivid(option.bgcolor), 0.6),
    callback: each((n) => n.setColorOption(option)),
  }));
  return [
    {
      content: t('No colour'),
      swatch: palette.nodeTitle,
      callback: each((n) => n.setColorOption(null)),
    },
    ...named,
  ];
}
