/** The testing pack's "variant support": a node checks the types linked to it by itself. */
import type { NodeDefinition } from '../../../engine/node.ts';

const members = (type: string): string[] => type.split(',');

const fits = (received: string, expected: string): boolean =>
  received === '*' ||
  expected === '*' ||
  members(received).every((type) => members(expected).includes(type));

/** Adds the check: `*` fits all, else the linked type must be part of the declared one. */
export function withVariants(node: NodeDefinition): NodeDefinition {
  return {
    ...node,
    validate: {
      inputs: [],
      inputTypes: true,
      check(_inputs, inputTypes) {
        for (const [name, received] of Object.entries(inputTypes)) {
          const expected = node.inputs[name].type;
          if (!fits(received, expected)) {
            return `Invalid type of ${name}: ${received} (expected ${expected})`;
          }
        }
        return true;
      },
    },
  };
}
