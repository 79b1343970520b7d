/**
 * Compares a node with what ComfyUI 0.3.64 prints for it. Oracle: tests/fixtures/object_info.json,
 * computed by running the reference with an input folder that holds `example.png` and no models;
 * free text (descriptions, tooltips) is not part of it.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ChoiceSource, NodeDefinition } from '../../engine/graph/definition.ts';
import { nodeInfo } from '../../engine/graph/object-info.ts';
import { parseJson, stringifyJson } from '../../engine/workflow/lossless-json.ts';
import type { Json } from '../../engine/workflow/lossless-json.ts';

const reference = parseJson(
  readFileSync(new URL('../fixtures/object_info.json', import.meta.url), 'utf8'),
) as Record<string, Record<string, Json>>;

/** Keys that later versions print, and free text. */
const NOT_IN_REFERENCE = new Set([
  'description',
  'output_tooltips',
  'is_input_list',
  'has_intermediate_output',
  'search_aliases',
  'essentials_category',
  'output_matchtypes',
  'dev_only',
  'price_badge',
]);

/** The folders of the machine the fixture was computed on. */
export const referenceChoices: ChoiceSource = {
  modelFiles: () => [],
  inputFiles: (kind) => (kind === 'image' || kind === 'any' ? ['example.png'] : []),
};

/** Class names in the fixture. */
export const referenceNodeNames = (): string[] => Object.keys(reference);

/** Asserts that `definition` prints as the reference does: same keys, order and spelling of numbers. */
export function assertLikeReference(
  definition: NodeDefinition,
  source: ChoiceSource = referenceChoices,
): void {
  const expected = reference[definition.name];
  expect(expected, `${definition.name} is not in tests/fixtures/object_info.json`).toBeDefined();
  const printed = parseJson(stringifyJson(nodeInfo(definition, source))) as Record<string, Json>;
  const kept = Object.entries(printed).filter(([key]) => !NOT_IN_REFERENCE.has(key));
  const ours = withoutTooltips(Object.fromEntries(kept));
  expect(stringifyJson(ours, { indent: 1 })).toBe(stringifyJson(expected, { indent: 1 }));
}

function withoutTooltips(info: Record<string, Json>): Record<string, Json> {
  for (const group of Object.values(info.input as Record<string, Record<string, Json>>)) {
    for (const entry of Object.values(group)) {
      const options = Array.isArray(entry) ? entry[1] : undefined;
      if (options !== null && typeof options === 'object' && 'tooltip' in options) {
        delete options.tooltip;
      }
    }
  }
  return info;
}
