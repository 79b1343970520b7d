/** rgthree: a sampler's settings in one place, one value of any type, a prompt with its encoder. */
import {
  clip,
  combo,
  float,
  int,
  isLink,
  optional,
  pythonStr,
  samplerNames,
  schedulerNames,
  string,
} from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { MAX_RESOLUTION, inCategory } from './define.ts';

const rgthree = inCategory('rgthree');
const step = (value: number) => int({ default: value, min: 1, max: MAX_RESOLUTION, step: 1 });

const toFloat = (value: unknown): number => {
  if (typeof value === 'boolean' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'string') return value.trim() === '' ? 0 : Number(value) || 0;
  return typeof value === 'number' ? value : 0;
};

function toBoolean(value: unknown): boolean {
  const text = typeof value === 'string' ? value.trim() : pythonStr(value);
  const number = typeof value === 'string' && text === '' ? NaN : Number(value);
  if (!Number.isNaN(number) && value !== null) return number !== 0;
  return !['0', 'false', 'null', 'none', ''].includes(text.toLowerCase());
}

/** What a value is made into, by the type that the page chose. */
const CASTS: Readonly<Record<string, (value: unknown) => unknown>> = {
  STRING: (value) =>
    value === null || value === undefined
      ? ''
      : typeof value === 'string'
        ? value
        : pythonStr(value),
  FLOAT: toFloat,
  INT: (value) => (typeof value === 'bigint' ? value : Math.trunc(toFloat(value))),
  BOOLEAN: toBoolean,
  BOOL: toBoolean,
};

export const rgthreeNodes: readonly NodeDefinition[] = [
  rgthree({
    name: 'KSampler Config (rgthree)',
    inputs: {
      steps_total: step(30),
      refiner_step: step(24),
      cfg: float({ default: 8, min: 0, max: 100, step: 0.5 }),
      sampler_name: combo(samplerNames),
      scheduler: combo(schedulerNames),
    },
    outputs: [
      { type: 'INT', name: 'STEPS' },
      { type: 'INT', name: 'REFINER_STEP' },
      { type: 'FLOAT', name: 'CFG' },
      { type: '*', name: 'SAMPLER' },
      { type: '*', name: 'SCHEDULER' },
    ],
    run: ({ steps_total, refiner_step, cfg, sampler_name, scheduler }) => [
      ...[steps_total, refiner_step, cfg],
      ...[sampler_name, scheduler],
    ],
  }),
  rgthree({
    name: 'Power Primitive (rgthree)',
    inputs: {},
    acceptAllInputs: true,
    outputs: [{ type: '*', name: '*' }],
    /** `type` may say which node it was chosen for, in brackets. */
    run({ type = '', value }) {
      const name = String(type).replace(/\s*\([^)]*\)\s*$/, '');
      if (!Object.hasOwn(CASTS, name)) {
        throw new RangeError(`type: expected ${Object.keys(CASTS).join(', ')}, got '${name}'`);
      }
      return [CASTS[name](value)];
    },
  }),
  rgthree({
    name: 'Power Prompt - Simple (rgthree)',
    inputs: {
      prompt: string({ multiline: true, dynamicPrompts: true }),
      opt_clip: optional(clip({ rawLink: true })),
      insert_embedding: optional(combo(['CHOOSE'])),
      insert_saved: optional(combo(['CHOOSE'])),
    },
    outputs: [
      { type: 'CONDITIONING', name: 'CONDITIONING' },
      { type: 'STRING', name: 'TEXT' },
    ],
    run({ prompt, opt_clip }, context) {
      if (!isLink(opt_clip)) return [null, prompt];
      const graph = context.newGraph();
      const encoded = graph.node('CLIPTextEncode', { clip: opt_clip, text: prompt });
      return { result: [encoded.out(0), prompt], expand: graph.finalize() };
    },
  }),
];
