/** Values that are typed in: KJNodes, Impact Pack, essentials, Easy Use, WAS, rgthree's seed, ComfyDeploy. */
import { boolean, combo, float, int, int64, optional, string } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { LIMIT, inCategory } from './define.ts';
import { decimals } from './numbers.ts';

const kj = inCategory('KJNodes/constants');
const impact = inCategory('ImpactPack/Logic');
const essentials = inCategory('essentials/utilities');
const easy = inCategory('EasyUse/Logic/Type');
const was = inCategory('WAS Suite/Number');
const deploy = inCategory('🔗ComfyDeploy');

const wide = { min: -LIMIT, max: LIMIT };

const kjConstants: readonly NodeDefinition[] = [
  kj({
    name: 'BOOLConstant',
    displayName: 'BOOL Constant',
    inputs: { value: boolean({ default: true }) },
    outputs: [{ type: 'BOOLEAN', name: 'value' }],
    run: ({ value }) => [value],
  }),
  kj({
    name: 'INTConstant',
    displayName: 'INT Constant',
    inputs: { value: int64({ default: 0, ...wide }) },
    outputs: [{ type: 'INT', name: 'value' }],
    run: ({ value }) => [value],
  }),
  kj({
    name: 'FloatConstant',
    displayName: 'Float Constant',
    inputs: { value: float({ default: 0, ...wide, step: 0.00001 }) },
    outputs: [{ type: 'FLOAT', name: 'value' }],
    run: ({ value }) => [decimals(value, 6)],
  }),
  kj({
    name: 'StringConstant',
    displayName: 'String Constant',
    inputs: { string: string({ default: '', multiline: false }) },
    outputs: [{ type: 'STRING' }],
    run: ({ string }) => [string],
  }),
  kj({
    name: 'StringConstantMultiline',
    displayName: 'String Constant Multiline',
    inputs: {
      string: string({ default: '', multiline: true }),
      strip_newlines: boolean({ default: true }),
    },
    outputs: [{ type: 'STRING' }],
    run: ({ string, strip_newlines }) => [
      strip_newlines ? string.replaceAll('\n', '').trim() : string,
    ],
  }),
];

const impactConstants: readonly NodeDefinition[] = [
  impact({
    name: 'ImpactInt',
    inputs: { value: int64({ default: 0, min: 0, max: 2n ** 63n - 1n, step: 1 }) },
    outputs: [{ type: 'INT' }],
    run: ({ value }) => [value],
  }),
  impact({
    name: 'ImpactFloat',
    inputs: { value: float({ default: 1, min: -3.402823466e38, max: 3.402823466e38 }) },
    outputs: [{ type: 'FLOAT' }],
    run: ({ value }) => [value],
  }),
  impact({
    name: 'ImpactBoolean',
    inputs: { value: boolean({ default: false }) },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ value }) => [value],
  }),
];

const slider = (value: object) => ({
  value: float({ display: 'slider', ...value }),
  min: float({ default: 0, ...wide, step: 0.001 }),
  max: float({ default: 1, ...wide, step: 0.001 }),
  rounding: int({ default: 0, min: 0, max: 10, step: 1 }),
});

const essentialsConstants: readonly NodeDefinition[] = [
  essentials({
    name: 'SimpleMathFloat+',
    displayName: '🔧 Simple Math Float',
    inputs: { value: float({ default: 0, ...wide, step: 0.05 }) },
    outputs: [{ type: 'FLOAT' }],
    run: ({ value }) => [value],
  }),
  essentials({
    name: 'SimpleMathPercent+',
    displayName: '🔧 Simple Math Percent',
    inputs: { value: float({ default: 0, min: 0n, max: 1n, step: 0.05 }) },
    outputs: [{ type: 'FLOAT' }],
    run: ({ value }) => [value],
  }),
  essentials({
    name: 'SimpleMathInt+',
    displayName: '🔧 Simple Math Int',
    inputs: { value: int64({ default: 0, ...wide, step: 1 }) },
    outputs: [{ type: 'INT' }],
    run: ({ value }) => [value],
  }),
  essentials({
    name: 'SimpleMathBoolean+',
    displayName: '🔧 Simple Math Boolean',
    inputs: { value: boolean({ default: false }) },
    outputs: [{ type: 'BOOLEAN' }],
    run: ({ value }) => [value],
  }),
  essentials({
    name: 'SimpleMathSlider+',
    displayName: '🔧 Simple Math Slider',
    inputs: slider({ default: 0.5, min: 0, max: 1, step: 0.001 }),
    outputs: [{ type: 'FLOAT' }, { type: 'INT' }],
    run({ value, min, max, rounding }) {
      const moved = min + value * (max - min);
      const shown = rounding > 0 ? decimals(moved, rounding) : moved;
      return [shown, Math.trunc(shown)];
    },
  }),
];

const easyConstants: readonly NodeDefinition[] = [
  easy({
    name: 'easy string',
    displayName: 'String',
    inputs: { value: string({ default: '' }) },
    outputs: [{ type: 'STRING', name: 'string' }],
    run: ({ value }) => [value],
  }),
  easy({
    name: 'easy int',
    displayName: 'Int',
    inputs: { value: int({ default: 0, min: -999999, max: 999999 }) },
    outputs: [{ type: 'INT', name: 'int' }],
    run: ({ value }) => [value],
  }),
  easy({
    name: 'easy float',
    displayName: 'Float',
    inputs: { value: float({ default: 0, step: 0.01, ...wide }) },
    outputs: [{ type: 'FLOAT', name: 'float' }],
    run: ({ value }) => [decimals(value, 3)],
  }),
  easy({
    name: 'easy boolean',
    displayName: 'Boolean',
    inputs: { value: boolean({ default: false }) },
    outputs: [{ type: 'BOOLEAN', name: 'boolean' }],
    run: ({ value }) => [value],
  }),
];

/** The largest seed that rgthree's node takes, 2^50. */
const LARGEST_SEED = 2 ** 50;

const seeds: readonly NodeDefinition[] = [
  /** −1, −2 and −3 stand for a new seed at every run: what the page does not settle, the node does. */
  inCategory('rgthree')({
    name: 'Seed (rgthree)',
    inputs: { seed: int({ default: 0, min: -LARGEST_SEED, max: LARGEST_SEED }) },
    outputs: [{ type: 'INT', name: 'SEED' }],
    isChanged: ({ seed }) => (isRandom(seed) ? NaN : seed),
    run: ({ seed }) => [isRandom(seed) ? 1 + Math.floor(Math.random() * LARGEST_SEED) : seed],
  }),
  was({
    name: 'Seed',
    inputs: { seed: int64({ default: 0, min: 0, max: LIMIT }) },
    outputs: [
      { type: 'SEED', name: 'seed' },
      { type: 'NUMBER', name: 'number' },
      { type: 'FLOAT', name: 'float' },
      { type: 'INT', name: 'int' },
    ],
    run: ({ seed }) => [{ seed }, seed, Number(seed), seed],
  }),
];

const isRandom = (seed: number | null | undefined): boolean =>
  seed === -1 || seed === -2 || seed === -3;

/** What a caller of a deployed workflow sends; without a caller the default is taken. */
const named = (name: string) => string({ multiline: false, default: name });

const about = () => ({
  display_name: optional(string({ multiline: false, default: '' })),
  description: optional(string({ multiline: true, default: '' })),
});

const deployInputs: readonly NodeDefinition[] = [
  deploy({
    name: 'ComfyUIDeployExternalText',
    displayName: 'External Text (ComfyUI Deploy)',
    inputs: {
      input_id: named('input_text'),
      default_value: optional(string({ multiline: true, default: '' })),
      ...about(),
    },
    outputs: [{ type: 'STRING', name: 'text' }],
    run: ({ default_value = '' }) => [default_value],
  }),
  deploy({
    name: 'ComfyUIDeployExternalLora',
    displayName: 'External Lora (ComfyUI Deploy)',
    inputs: {
      input_id: named('input_lora'),
      default_lora_name: combo((source) => [...source.modelFiles('loras')]),
      lora_save_name: optional(string({ multiline: false, default: '' })),
      ...about(),
      lora_url: optional(string({ multiline: false, default: '' })),
    },
    outputs: [{ type: '*', name: 'path' }],
    /** Nothing is downloaded: a file that is there is named, or the node says so. */
    run({ default_lora_name, lora_url = '' }) {
      if (lora_url === '') return [default_lora_name];
      if (!/^https?:/i.test(lora_url)) return [lora_url];
      throw new Error(
        `lora_url of ComfyUIDeployExternalLora is an address (${lora_url}); put the file into the loras folder and choose it`,
      );
    },
  }),
  deploy({
    name: 'ComfyUIDeployExternalNumberInt',
    displayName: 'External Number Int (ComfyUI Deploy)',
    inputs: {
      input_id: named('input_number'),
      default_value: optional(
        int({ multiline: true, display: 'number', min: -2147483647, max: 2147483647, default: 0 }),
      ),
      ...about(),
    },
    outputs: [{ type: 'INT', name: 'value' }],
    /** A caller's number stands where the name was. */
    run: ({ input_id, default_value = 0 }) => [
      /^\d+$/.test(input_id.trim()) ? Number(input_id) : default_value,
    ],
  }),
];

export const constantNodes: readonly NodeDefinition[] = [
  ...kjConstants,
  ...impactConstants,
  ...essentialsConstants,
  ...easyConstants,
  ...seeds,
  ...deployInputs,
];
