/** One of several inputs: rgthree, Impact Pack, Easy Use, Comfyroll, WAS. */
import {
  boolean,
  clip,
  conditioning,
  image,
  int,
  latent,
  model,
  optional,
  socket,
  string,
  vae,
} from 'noodle/node';
import type { InputSpec, NodeDefinition } from 'noodle/node';
import { anything, inCategory, numbered } from './define.ts';

const impact = inCategory('ImpactPack/Util');
const easySwitch = inCategory('EasyUse/Logic/Switch');
const easyIndex = inCategory('EasyUse/Logic/Index Switch');
const was = inCategory('WAS Suite/Logic');

const isEmptyContext = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'model' in value &&
  'clip' in value &&
  Object.values(value).every((part) => part === null);

/** The first `any_…` that holds something, in the order of the prompt. */
const anySwitch = inCategory('rgthree')({
  name: 'Any Switch (rgthree)',
  inputs: {},
  acceptAllInputs: true,
  outputs: [{ type: '*', name: '*' }],
  run(inputs) {
    const found = Object.entries(inputs).find(
      ([name, value]) =>
        name.startsWith('any_') && value !== null && value !== undefined && !isEmptyContext(value),
    );
    return [found?.[1] ?? null];
  },
});

/** The label that a user gave to an input of a node in the editor. */
function labelOf(workflow: unknown, id: string, input: string): string {
  const { nodes = [] } = (workflow ?? {}) as { nodes?: readonly LabelledNode[] };
  const slots = nodes.find((node) => String(node.id) === id)?.inputs ?? [];
  return slots.find(({ name }) => name === input)?.label ?? input;
}

interface LabelledNode {
  readonly id: number | string;
  readonly inputs?: readonly { readonly name: string; readonly label?: string }[];
}

/** More inputs than the first come as undeclared ones, which are not lazy: all of them are computed. */
const generalSwitch = (name: string, displayName: string): NodeDefinition =>
  impact({
    name,
    displayName,
    inputs: {
      select: int({ default: 1, min: 1, max: 999999, step: 1 }),
      sel_mode: boolean({
        default: false,
        label_on: 'select_on_prompt',
        label_off: 'select_on_execution',
        forceInput: false,
      }),
      input1: optional(anything({ lazy: true })),
    },
    hidden: { unique_id: 'UNIQUE_ID', extra_pnginfo: 'EXTRA_PNGINFO' },
    acceptAllInputs: true,
    outputs: [
      { type: '*', name: 'selected_value' },
      { type: 'STRING', name: 'selected_label' },
      { type: 'INT', name: 'selected_index' },
    ],
    checkLazy: ({ select }) => (select === 1 ? ['input1'] : []),
    run({ select, unique_id, extra_pnginfo, ...inputs }) {
      const value = numbered(inputs, 'input').get(select);
      if (value === undefined) return [null, '', select];
      return [value, labelOf(extra_pnginfo?.workflow, unique_id, `input${select}`), select];
    },
  });

const impactNodes: readonly NodeDefinition[] = [
  generalSwitch('ImpactSwitch', 'Switch (Any)'),
  generalSwitch('LatentSwitch', 'Switch (latent/legacy)'),
  inCategory('ImpactPack/Logic')({
    name: 'ImpactConditionalBranch',
    displayName: 'Conditional Branch',
    inputs: {
      cond: boolean(),
      tt_value: anything({ lazy: true }),
      ff_value: anything({ lazy: true }),
    },
    outputs: [{ type: '*' }],
    checkLazy: ({ cond }) => [cond === true ? 'tt_value' : 'ff_value'],
    run: ({ cond, tt_value, ff_value }) => [cond ? tt_value : ff_value],
  }),
];

/** Easy Use's number of lazy inputs (`prefix0` …), of which its widget reaches the first ten. */
const MAX_FLOW_NUM = 20;

/** Only the chosen input is computed. */
function indexSwitch(
  [name, displayName, prefix, ...output]: readonly [string, string, string, string, string],
  input: () => InputSpec<unknown, false>,
): NodeDefinition {
  const inputs = Object.fromEntries(
    Array.from({ length: MAX_FLOW_NUM }, (_, i) => [`${prefix}${i}`, optional(input())]),
  );
  return easyIndex({
    name,
    displayName,
    inputs: { index: int({ default: 0, min: 0, max: 9, step: 1 }), ...inputs },
    outputs: [{ type: output[0], name: output[1] }],
    checkLazy: ({ index }) => [`${prefix}${index}`],
    run({ index, ...given }) {
      const value = (given as Record<string, unknown>)[`${prefix}${index}`];
      if (value === undefined) throw new RangeError(`${prefix}${index}: expected a link, got none`);
      return [value];
    },
  });
}

const lazy = { lazy: true };

const easyNodes: readonly NodeDefinition[] = [
  indexSwitch(['easy anythingIndexSwitch', 'Any Index Switch', 'value', '*', 'value'], () =>
    anything(lazy),
  ),
  indexSwitch(['easy imageIndexSwitch', 'Image Index Switch', 'image', 'IMAGE', 'image'], () =>
    socket('IMAGE', lazy),
  ),
  indexSwitch(['easy textIndexSwitch', 'Text Index Switch', 'text', 'STRING', 'text'], () =>
    socket('STRING', { ...lazy, forceInput: true }),
  ),
  indexSwitch(
    [
      'easy conditioningIndexSwitch',
      'Conditioning Index Switch',
      'cond',
      'CONDITIONING',
      'conditioning',
    ],
    () => socket('CONDITIONING', lazy),
  ),
  easySwitch({
    name: 'easy imageSwitch',
    displayName: 'Image Switch',
    inputs: { image_a: image(), image_b: image(), boolean: boolean({ default: false }) },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image_a, image_b, boolean }) => [boolean ? image_a : image_b],
  }),
  easySwitch({
    name: 'easy textSwitch',
    displayName: 'Text Switch',
    inputs: {
      input: int({ default: 1, min: 1, max: 2 }),
      text1: optional(string({ forceInput: true })),
      text2: optional(string({ forceInput: true })),
    },
    outputs: [{ type: 'STRING' }],
    run: ({ input, text1 = null, text2 = null }) => [input === 1 ? text1 : text2],
  }),
];

const HELP = 'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki/Logic-Nodes#';

/** A Comfyroll switch: `Input` counts from 1, the second output is the address of its help. */
function crSwitch(
  [what, type, prefix]: readonly [what: string, type: string, prefix: string],
  input: () => InputSpec<unknown, false>,
  ways = 2,
): NodeDefinition {
  const inputs = Object.fromEntries(
    Array.from({ length: ways }, (_, i) => [`${prefix}${i + 1}`, optional(input())]),
  );
  const suffix = ways === 2 ? '' : ` (${ways} way)`;
  return inCategory('🧩 Comfyroll Studio/🛠️ Utils/🔀 Logic')({
    name: `CR ${what} Input Switch${suffix}`,
    displayName: `🔀 CR ${what} Input Switch${suffix}`,
    inputs: { Input: int({ default: 1, min: 1, max: ways }), ...inputs },
    outputs: [{ type }, { type: 'STRING', name: 'show_help' }],
    run({ Input, ...given }) {
      const value = (given as Record<string, unknown>)[`${prefix}${Input}`];
      const page = `cr-${what.toLowerCase()}-input-switch${ways === 2 ? '' : `-${ways}-way`}`;
      return [value ?? null, HELP + page];
    },
  });
}

const forcedText = () => string({ forceInput: true });

const comfyrollNodes: readonly NodeDefinition[] = [
  crSwitch(['Image', 'IMAGE', 'image'], image),
  crSwitch(['Image', 'IMAGE', 'image'], image, 4),
  crSwitch(['Latent', 'LATENT', 'latent'], latent),
  crSwitch(['Conditioning', 'CONDITIONING', 'conditioning'], conditioning),
  crSwitch(['Clip', 'CLIP', 'clip'], clip),
  crSwitch(['Model', 'MODEL', 'model'], model),
  crSwitch(['VAE', 'VAE', 'VAE'], () => vae({ forceInput: true })),
  crSwitch(['Text', 'STRING', 'text'], forcedText),
  crSwitch(['Text', 'STRING', 'text'], forcedText, 4),
];

const wasNodes: readonly NodeDefinition[] = [
  was({
    name: 'Text Input Switch',
    inputs: { text_a: forcedText(), text_b: forcedText(), boolean: boolean({ forceInput: true }) },
    outputs: [{ type: 'STRING' }],
    run: ({ text_a, text_b, boolean }) => [boolean ? text_a : text_b],
  }),
  was({
    name: 'Image Input Switch',
    inputs: { image_a: image(), image_b: image(), boolean: boolean({ forceInput: true }) },
    outputs: [{ type: 'IMAGE' }],
    run: ({ image_a, image_b, boolean }) => [boolean ? image_a : image_b],
  }),
];

export const switchNodes: readonly NodeDefinition[] = [
  anySwitch,
  ...impactNodes,
  ...easyNodes,
  ...comfyrollNodes,
  ...wasNodes,
];
