/**
 * Compares a node with what ComfyUI prints for it. Oracles: tests/fixtures/object_info.json (0.3.64) and
 * object_info-0.33.json, computed by running the reference with an input folder that holds `example.png`
 * and no models; free text (descriptions, tooltips) is not part of them.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ChoiceSource, NodeDefinition } from '../../engine/graph/definition.ts';
import { nodeInfo } from '../../engine/graph/object-info.ts';
import { Float, parseJson, stringifyJson } from '../../engine/workflow/lossless-json.ts';
import type { Json } from '../../engine/workflow/lossless-json.ts';

type Info = Record<string, Json>;

const fixture = (name: string): Record<string, Info> =>
  parseJson(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as Record<
    string,
    Info
  >;

const reference = fixture('object_info.json');
const reference33 = fixture('object_info-0.33.json');

/** Free text. */
const FREE_TEXT = ['description', 'output_tooltips', 'search_aliases', 'price_badge'];

/** Keys that 0.3.64 does not print. */
const LATER = [
  'is_input_list',
  'has_intermediate_output',
  'essentials_category',
  'output_matchtypes',
  'dev_only',
];

/**
 * Classes of 0.3.64 that print what 0.33 added to them as well, so that prompts of both versions
 * validate: its new outputs behind the old ones (those that are gone stay), its new inputs as optional ones.
 */
const UNITED = new Set([
  'CFGNorm',
  'CLIPLoader',
  'ContextWindowsManual',
  'DualCLIPLoader',
  'ImageScaleToTotalPixels',
  'KSampler',
  'KSamplerAdvanced',
  'KSamplerSelect',
  'MaskPreview',
  'PreviewAny',
  'PreviewImage',
  'SaveAnimatedPNG',
  'SaveAnimatedWEBP',
  'SaveImage',
  'SaveLatent',
  'SaveSVGNode',
  'TrainLoraNode',
  'WanContextWindowsManual',
]);

/** The folders of the machine the fixture was computed on. */
export const referenceChoices: ChoiceSource = {
  modelFiles: () => [],
  inputFiles: (kind) => (kind === 'image' || kind === 'any' ? ['example.png'] : []),
};

/** The same for 0.33. */
const referenceChoices33: ChoiceSource = { ...referenceChoices, inputFolders: () => ['3d'] };

/** Class names of 0.3.64, and of 0.33. */
export const referenceNodeNames = (): string[] => Object.keys(reference);
export const referenceNodeNames33 = (): string[] => Object.keys(reference33);

/**
 * Asserts that `definition` prints as the reference does: same keys, order and spelling of numbers. A class
 * of 0.3.64 prints as there (with what 0.33 added, for the classes named above), a later one as in 0.33.
 */
export function assertLikeReference(
  definition: NodeDefinition,
  source: ChoiceSource = referenceChoices,
): void {
  const { name } = definition;
  if (!(name in reference)) return assertLikeReference33(definition);
  const expected = reference[name];
  const wanted = UNITED.has(name) ? united(expected, reference33[name]) : expected;
  assertPrints(definition, source, wanted, [...FREE_TEXT, ...LATER]);
}

/** The same for a class that only 0.33 has; fails for one that no version has. */
export function assertLikeReference33(
  definition: NodeDefinition,
  source: ChoiceSource = referenceChoices33,
): void {
  const expected = reference33[definition.name];
  expect(expected, `${definition.name} is in neither fixture`).toBeDefined();
  // The fixture has no essentials_category, matchtypes … of the V1 form where there are none.
  const absent = [...LATER, 'deprecated', 'experimental', 'api_node'].filter(
    (key) => !(key in expected),
  );
  assertPrints(definition, source, expected, [...FREE_TEXT, ...absent]);
}

function assertPrints(
  definition: NodeDefinition,
  source: ChoiceSource,
  expected: Info,
  leftOut: readonly string[],
): void {
  const printed = parseJson(stringifyJson(nodeInfo(definition, source))) as Info;
  const kept = Object.entries(printed).filter(([key]) => !leftOut.includes(key));
  const ours = { ...Object.fromEntries(kept), input: withoutTooltips(printed.input) };
  expect(stringifyJson(ours, { indent: 1 })).toBe(stringifyJson(expected, { indent: 1 }));
}

/** Options without their tooltips, however deep dynamic inputs nest them. */
function withoutTooltips(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutTooltips);
  if (value === null || typeof value !== 'object' || value instanceof Float) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'tooltip');
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutTooltips(member)] as const));
}

const groupOf = (inputs: Record<string, Record<string, Json>>, name: string): string =>
  Object.keys(inputs).find((group) => name in inputs[group])!;

/** An input of choices with those that a later version has more; they may come in another form. */
function withChoices(entry: Json, later: Json): Json {
  const choices = (of: Json): Json => {
    const [type, options] = of as [Json, { options?: Json }?];
    return type === 'COMBO' ? (options?.options ?? null) : type;
  };
  const [old, more] = [choices(entry), choices(later)];
  if (!Array.isArray(old) || !Array.isArray(more)) return entry;
  if (!old.every((choice) => more.includes(choice))) return entry;
  const [type, options] = entry as [Json, Record<string, Json>?];
  return type === 'COMBO'
    ? [type, { ...options, options: more }]
    : [more, ...(entry as Json[]).slice(1)];
}

/** What 0.3.64 prints, and behind it what 0.33 added. */
function united(old: Info, later: Info): Info {
  type Inputs = Record<string, Record<string, Json>>;
  const groups = Object.entries(old.input as Inputs);
  const inputs: Inputs = Object.fromEntries(groups.map(([group, all]) => [group, { ...all }]));
  const known = Object.values(inputs).flatMap((group) => Object.keys(group));
  for (const [group, members] of Object.entries(later.input as Inputs)) {
    if (group === 'hidden') continue;
    for (const [name, entry] of Object.entries(members)) {
      if (!known.includes(name)) (inputs.optional ??= {})[name] = entry;
      else
        inputs[groupOf(inputs, name)][name] = withChoices(
          inputs[groupOf(inputs, name)][name],
          entry,
        );
    }
  }
  const order = Object.entries(inputs).map(([group, members]) => [group, Object.keys(members)]);
  const countOf = ({ output }: Info): number => (output as Json[]).length;
  const { output, output_is_list, output_name } = countOf(later) < countOf(old) ? old : later;
  return {
    ...old,
    input: inputs,
    input_order: Object.fromEntries(order) as Json,
    output,
    output_is_list,
    output_name,
  };
}
