import { LiteGraph } from '@comfyorg/litegraph';
import type { ISerialisedNode } from '@comfyorg/litegraph/dist/types/serialisation';
import { isEditorOnly } from '../../engine/workflow/editor-nodes.ts';
import { storedForm } from './node-texts.ts';
import { NoodleNode } from './node.ts';
import { missingColors, type NodeColors } from './node-colors.ts';
import { palette, uiFont } from './theme.ts';

/** Legacy group nodes and editor nodes of packs: not on the server either, but no prompt asks for them. */
const isKnown = (type: string): boolean => /^workflow[>/]/.test(type) || isEditorOnly(type);

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
    this.title = info.title ?? this.type;
  }

  override serialize(): ISerialisedNode {
    return storedForm(this, () => {
      const saved = super.serialize();
      if (saved.title === this.type) delete saved.title;
      return saved;
    });
  }

  constructor(title: string, type: string) {
    super(title, type);
    this.onDrawForeground = (ctx) => {
      if (this.flags.collapsed || this.isKnown || this.size[1] < 40) return;
      ctx.save();
      ctx.font = `11px ${uiFont}`;
      ctx.textAlign = 'center';
      ctx.fillStyle = palette.errorText;
      ctx.fillText('not installed here; kept as it is', this.size[0] / 2, this.size[1] - 10);
      ctx.restore();
    };
  }
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
