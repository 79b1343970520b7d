/** Of what type the values on a link are. */
import type { NodeDefinition, PromptNode, GraphNode } from './definition.ts';
import { effectiveInputs } from './dynamic-inputs.ts';
import { isLink, linkSlot, linkSource } from './link.ts';
import type { LooseLink } from './link.ts';

/** What is known of the nodes of a prompt. */
export interface WireNodes {
  getNode(id: string): PromptNode | GraphNode;
  definitionOf(id: string): NodeDefinition;
}

/**
 * The type that the output at a link's start declares. Outputs that take the type of what their node is
 * given (`matchType`) are followed to where that comes from. Undefined where nothing says it, or two say
 * different things.
 */
export function wireType(link: LooseLink, nodes: WireNodes): string | undefined {
  const types = new Set<unknown>();
  const links = [link];
  const seen = new Set<string>();
  for (let at = 0; at < links.length; at++) {
    const id = linkSource(links[at]);
    const definition = nodes.definitionOf(id);
    const slot = linkSlot(links[at], definition.outputs.length);
    if (seen.has(`${slot} ${id}`)) continue;
    seen.add(`${slot} ${id}`);
    const { type, matchType } = definition.outputs.at(slot) ?? {};
    if (matchType === undefined) types.add(type);
    else links.push(...linksOf(matchType, definition, nodes.getNode(id).inputs));
  }
  const [type] = types;
  return types.size === 1 && typeof type === 'string' ? type : undefined;
}

/** What is connected to the inputs of one template. */
function linksOf(
  template: string,
  definition: NodeDefinition,
  given: Readonly<Record<string, unknown>>,
): LooseLink[] {
  return Object.entries(effectiveInputs(definition, given)).flatMap(([name, { options }]) => {
    const own = options?.template as { template_id?: unknown } | undefined;
    const value = given[name];
    return own?.template_id === template && isLink(value) ? [value] : [];
  });
}
