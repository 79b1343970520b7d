import { LiteGraph } from '@comfyorg/litegraph';
import type { ISerialisedNode } from '@comfyorg/litegraph/dist/types/serialisation';
import { groupName } from '../../engine/workflow/group-nodes.ts';
import { isEditorOnly } from '../../engine/workflow/editor-nodes.ts';
import { t } from '../locale/translate.ts';
import { textOf } from '../text.ts';
import { isRecord } from './input-spec.ts';
import { storedForm } from './node-texts.ts';
import { NoodleNode } from './node.ts';
import { missingColors, type NodeColors } from './node-colors.ts';
import { storedValues } from './source.ts';
import { palette, uiFont } from './theme.ts';
import { fitText } from './text-fit.ts';

/** Editor nodes of packs: not on the server either, but no prompt asks for them. */
const isKnown = (type: string): boolean => isEditorOnly(type);

/** What a missing type is called: ids of subgraphs tell nobody anything. */
export function nameOfMissing(type: string): string {
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(type)) {
    return t('A subgraph that this file does not contain');
  }
  const group = groupName(type);
  return group === undefined
    ? type
    : t('{name} (a group that this file does not define)', { name: group });
}

/** Stands in for a node class the server does not have: red, connectable, saved as it was. */
export class MissingNode extends NoodleNode {
  /** Whether it works all the same, and is not red. */
  get isKnown(): boolean {
    return isKnown(this.type);
  }

  /** Red in every theme, whatever colour the file has for it. */
  get ownColors(): NodeColors | null {
    return this.isKnown ? null : missingColors();
  }

  override configure(info: ISerialisedNode): void {
    super.configure(info);
    this.title = info.title ?? nameOfMissing(this.type);
  }

  override serialize(): ISerialisedNode {
    return storedForm(this, () => {
      const saved = super.serialize();
      if (saved.title === nameOfMissing(this.type)) delete saved.title;
      return saved;
    });
  }

  constructor(title: string, type: string) {
    super(title, type);
    this.onDrawForeground = (ctx) => {
      if (!this.flags.collapsed) drawValues(this, ctx);
    };
  }
}

const lineHeight = 16;

/** Writes under the sockets what the file holds for the node, and that it is not here; as much as fits. */
function drawValues(node: MissingNode, ctx: CanvasRenderingContext2D): void {
  const lines = node.isKnown ? [] : [t('Not installed'), ...valueLines(storedValues(node))];
  const rows = Math.max(node.inputs.length, node.outputs.length);
  const top = rows * LiteGraph.NODE_SLOT_HEIGHT + 8;
  const width = node.size[0] - 2 * margin;
  const font = `11px ${uiFont}`;
  ctx.save();
  ctx.font = font;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  lines.slice(0, Math.floor((node.size[1] - top) / lineHeight)).forEach((line, i) => {
    ctx.fillStyle = i === 0 ? palette.errorText : palette.textSoft;
    ctx.fillText(fitText(ctx, font, line, width), margin, top + i * lineHeight);
  });
  ctx.restore();
}

const margin = 12;

function valueLines(values: unknown): string[] {
  const entries = isRecord(values)
    ? Object.entries(values).map(([name, value]) => `${name}: ${textOf(value)}`)
    : Array.isArray(values)
      ? values.map((value) => textOf(value))
      : [];
  return entries.filter((line) => line !== '').map((line) => line.replace(/\s+/g, ' '));
}

/** Registers a stand-in for every type that has no class yet; returns the missing type names. */
export function registerMissing(types: Iterable<string>): string[] {
  const missing: string[] = [];
  for (const type of new Set(types)) {
    if (Object.hasOwn(LiteGraph.registered_node_types, type)) {
      const known = LiteGraph.registered_node_types[type];
      if (known.prototype instanceof MissingNode && !isKnown(type)) missing.push(type);
      continue;
    }
    const made = class extends MissingNode {
      static override title = type;
      static override type = type;
      static override skip_list = true;

      constructor(title: string) {
        super(title || type, type);
      }
    };
    LiteGraph.registerNodeType(type, made);
    if (!isKnown(type)) missing.push(type);
  }
  return missing;
}
