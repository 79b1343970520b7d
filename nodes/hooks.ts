/** Hooks: LoRAs and models that act for some conditioning only, with strengths that follow the run. */
import {
  boolean,
  clip,
  combo,
  float,
  inModule,
  int,
  nullable,
  optional,
  socket,
} from '../engine/node.ts';
import type { Context, NodeDefinition } from '../engine/node.ts';
import type { HookGroup, HookWeights, Keyframes } from '../engine/values/hook-group.ts';

const define = inModule('comfy_extras.nodes_hooks', 'v1', { experimental: true });

const hooks = () => nullable(socket<HookGroup>('HOOKS', undefined, ['hooks']));
const someHooks = optional(hooks());
const keyframes = optional(nullable(socket<Keyframes>('HOOK_KEYFRAMES', undefined, 'list')));
const HOOKS = [{ type: 'HOOKS' }];
const HOOK_KEYFRAMES = [{ type: 'HOOK_KEYFRAMES', name: 'HOOK_KF' }];

const groups = () => import('../engine/values/hook-group.ts');
const attaching = () => import('../engine/values/hooks.ts');

// ---- create ----

const hookStrength = float({ default: 1, min: -20, max: 20, step: 0.01 });

/** The hook behind those before it; without any strength only those. */
async function createHook(
  weights: () => Promise<HookWeights>,
  { model, clip: text }: { readonly model: number; readonly clip: number },
  previous: HookGroup | null | undefined,
): Promise<[HookGroup]> {
  if (model === 0 && text === 0) return [previous ?? { hooks: [] }];
  const made = await weights();
  const { createHook: create } = await groups();
  return [create({ weights: made, strengthModel: model, strengthClip: text }, previous)];
}

async function loraWeights(name: string, { services }: Context): Promise<HookWeights> {
  const { openLora } = await import('../engine/values/lora.ts');
  const { entries } = await openLora(services.folders.modelFile('loras', name));
  return { kind: 'lora', entries };
}

async function checkpointWeights(name: string, { services }: Context): Promise<HookWeights> {
  const { loadCheckpoint } = await import('../engine/values/load-checkpoint.ts');
  const { modelPart } = await attaching();
  const path = services.folders.modelFile('checkpoints', name);
  const { model, clip: text } = await loadCheckpoint(path, services.families);
  const encoders = text?.encoders ?? [];
  return {
    kind: 'checkpoint',
    networks: new Map([
      [modelPart, model.source],
      ...encoders.map(({ spec, source }) => [spec.name, source] as const),
    ]),
  };
}

const loraName = combo((source) => source.modelFiles('loras'));
const checkpointName = combo((source) => source.modelFiles('checkpoints'));
const create = 'advanced/hooks/create';

export const createHookLora = define({
  name: 'CreateHookLora',
  displayName: 'Create Hook LoRA',
  category: create,
  description: 'A LoRA for the conditioning it is set on.',
  inputs: {
    lora_name: loraName,
    strength_model: hookStrength,
    strength_clip: hookStrength,
    prev_hooks: someHooks,
  },
  outputs: HOOKS,
  run: ({ lora_name, strength_model, strength_clip, prev_hooks }, context) =>
    createHook(
      () => loraWeights(lora_name, context),
      { model: strength_model, clip: strength_clip },
      prev_hooks,
    ),
});

export const createHookLoraModelOnly = define({
  name: 'CreateHookLoraModelOnly',
  displayName: 'Create Hook LoRA (MO)',
  category: create,
  description: 'A LoRA for the conditioning it is set on; text encoders stay as they are.',
  inputs: { lora_name: loraName, strength_model: hookStrength, prev_hooks: someHooks },
  outputs: HOOKS,
  run: ({ lora_name, strength_model, prev_hooks }, context) =>
    createHook(
      () => loraWeights(lora_name, context),
      { model: strength_model, clip: 0 },
      prev_hooks,
    ),
});

export const createHookModelAsLora = define({
  name: 'CreateHookModelAsLora',
  displayName: 'Create Hook Model as LoRA',
  category: create,
  description: 'The way to another checkpoint as a LoRA, for the conditioning it is set on.',
  inputs: {
    ckpt_name: checkpointName,
    strength_model: hookStrength,
    strength_clip: hookStrength,
    prev_hooks: someHooks,
  },
  outputs: HOOKS,
  run: ({ ckpt_name, strength_model, strength_clip, prev_hooks }, context) =>
    createHook(
      () => checkpointWeights(ckpt_name, context),
      { model: strength_model, clip: strength_clip },
      prev_hooks,
    ),
});

export const createHookModelAsLoraModelOnly = define({
  name: 'CreateHookModelAsLoraModelOnly',
  displayName: 'Create Hook Model as LoRA (MO)',
  category: create,
  description: 'The way to another checkpoint as a LoRA; text encoders stay as they are.',
  inputs: { ckpt_name: checkpointName, strength_model: hookStrength, prev_hooks: someHooks },
  outputs: HOOKS,
  run: ({ ckpt_name, strength_model, prev_hooks }, context) =>
    createHook(
      () => checkpointWeights(ckpt_name, context),
      { model: strength_model, clip: 0 },
      prev_hooks,
    ),
});

// ---- schedule ----

const scheduling = 'advanced/hooks/scheduling';
const percent = (value: number) => float({ default: value, min: 0, max: 1, step: 0.001 });

export const setHookKeyframes = define({
  name: 'SetHookKeyframes',
  displayName: 'Set Hook Keyframes',
  category: scheduling,
  description: 'The strengths that hooks have in the course of a run.',
  inputs: { hooks: hooks(), hook_kf: keyframes },
  outputs: HOOKS,
  async run({ hooks: group, hook_kf }) {
    if (!group || !hook_kf) return [group];
    return [(await groups()).withKeyframes(group, hook_kf)];
  },
});

export const createHookKeyframe = define({
  name: 'CreateHookKeyframe',
  displayName: 'Create Hook Keyframe',
  category: scheduling,
  description: 'A strength from some part of the run on.',
  inputs: {
    strength_mult: float({ default: 1, min: -20, max: 20, step: 0.01 }),
    start_percent: percent(0),
    prev_hook_kf: keyframes,
  },
  outputs: HOOK_KEYFRAMES,
  async run({ strength_mult: strength, start_percent: startPercent, prev_hook_kf }) {
    const { addKeyframe } = await groups();
    return [addKeyframe(prev_hook_kf, { strength, startPercent, guaranteeSteps: 1 })];
  },
});

/** Strengths spread over a part of the run; shown in the log where that is asked for. */
async function spread(
  strengths: readonly number[],
  given: {
    readonly start_percent: number;
    readonly end_percent: number;
    readonly print_keyframes: boolean;
    readonly prev_hook_kf?: Keyframes | null;
  },
  { services }: Context,
): Promise<[Keyframes]> {
  const { keyframesOf } = await groups();
  const range = { start: given.start_percent, end: given.end_percent };
  const made = keyframesOf(strengths, range);
  for (const { startPercent, strength } of given.print_keyframes ? made : []) {
    services.log?.('INFO', `Hook Keyframe - start_percent:${startPercent} = ${strength}`);
  }
  return [keyframesOf(strengths, range, given.prev_hook_kf)];
}

const floatOfKeyframes = float({ default: 1, min: 0, max: 10, step: 0.001 });

export const createHookKeyframesInterpolated = define({
  name: 'CreateHookKeyframesInterpolated',
  displayName: 'Create Hook Keyframes Interp.',
  category: scheduling,
  description: 'Strengths between two, spread over a part of the run.',
  inputs: {
    strength_start: floatOfKeyframes,
    strength_end: floatOfKeyframes,
    interpolation: combo(['linear', 'ease_in', 'ease_out', 'ease_in_out'] as const),
    start_percent: percent(0),
    end_percent: percent(1),
    keyframes_count: int({ default: 5, min: 2, max: 100, step: 1 }),
    print_keyframes: boolean({ default: false }),
    prev_hook_kf: keyframes,
  },
  outputs: HOOK_KEYFRAMES,
  async run({ strength_start, strength_end, interpolation, keyframes_count, ...rest }, context) {
    const { interpolate } = await groups();
    const strengths = interpolate(strength_start, strength_end, keyframes_count, interpolation);
    return spread(strengths, rest, context);
  },
});

export const createHookKeyframesFromFloats = define({
  name: 'CreateHookKeyframesFromFloats',
  displayName: 'Create Hook Keyframes From Floats',
  category: scheduling,
  description: 'Given strengths, spread over a part of the run.',
  inputs: {
    floats_strength: socket<number | readonly number[]>(
      'FLOATS',
      { default: -1n, min: -1n, step: 0.001, forceInput: true },
      'value',
    ),
    start_percent: percent(0),
    end_percent: percent(1),
    print_keyframes: boolean({ default: false }),
    prev_hook_kf: keyframes,
  },
  outputs: HOOK_KEYFRAMES,
  run: ({ floats_strength, ...rest }, context) => spread([floats_strength].flat(), rest, context),
});

// ---- combine ----

const combineNode = (count: number) => {
  const names = Array.from({ length: count }, (_, i) => `hooks_${'ABCDEFGH'[i]}`);
  return define({
    name: `CombineHooks${count}`,
    displayName: `Combine Hooks [${count}]`,
    category: 'advanced/hooks/combine',
    description: 'All hooks as one group, each once.',
    inputs: Object.fromEntries(names.map((name) => [name, someHooks])),
    outputs: HOOKS,
    async run(given) {
      const { combineHooks } = await groups();
      return [combineHooks(names.map((name) => given[name])) ?? null];
    },
  });
};

// ---- set ----

export const setClipHooks = define({
  name: 'SetClipHooks',
  displayName: 'Set CLIP Hooks',
  category: 'advanced/hooks/clip',
  description: 'Encodes prompts under hooks, if wanted anew wherever their strengths change.',
  inputs: {
    clip: clip(),
    apply_to_conds: boolean({ default: true }),
    schedule_clip: boolean({ default: false }),
    hooks: someHooks,
  },
  outputs: [{ type: 'CLIP' }],
  async run({ clip: encoders, apply_to_conds, schedule_clip, hooks: group }) {
    if (!group) return [encoders];
    const { requireClip } = await import('../engine/values/clip.ts');
    const given = { group, onConditioning: apply_to_conds, scheduled: schedule_clip };
    return [{ ...requireClip(encoders), hooks: given }];
  },
});

export const conditioningTimestepsRange = define({
  name: 'ConditioningTimestepsRange',
  displayName: 'Timesteps Range',
  category: 'advanced/hooks',
  description: 'A part of the run, what comes before it, and what comes after.',
  inputs: { start_percent: percent(0), end_percent: percent(1) },
  outputs: [
    { type: 'TIMESTEPS_RANGE' },
    { type: 'TIMESTEPS_RANGE', name: 'BEFORE_RANGE' },
    { type: 'TIMESTEPS_RANGE', name: 'AFTER_RANGE' },
  ],
  run: ({ start_percent: start, end_percent: end }) => [
    [start, end],
    [0, start],
    [end, 1],
  ],
});

export const hookNodes: readonly NodeDefinition[] = [
  createHookLora,
  createHookLoraModelOnly,
  createHookModelAsLora,
  createHookModelAsLoraModelOnly,
  setHookKeyframes,
  createHookKeyframe,
  createHookKeyframesInterpolated,
  createHookKeyframesFromFloats,
  ...[2, 4, 8].map(combineNode),
  setClipHooks,
  conditioningTimestepsRange,
];
