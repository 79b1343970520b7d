/** Conditioning with hooks, masks and parts of the run set on it, and conditioning for what is left. */
import {
  combo,
  conditioning,
  float,
  inModule,
  mask,
  nullable,
  optional,
  socket,
} from '../engine/node.ts';
import type { Conditioning, Mask, NodeDefinition } from '../engine/node.ts';
import { reshape } from '../engine/array/nd.ts';
import type { HookGroup } from '../engine/values/hook-group.ts';

const define = inModule('comfy_extras.nodes_hooks', 'v1', { experimental: true });

type Range = readonly [start: number, end: number];
const someHooks = optional(nullable(socket<HookGroup>('HOOKS', undefined, ['hooks'])));
const PAIR = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
];
const SINGLE = [{ type: 'CONDITIONING' }];

const attaching = () => import('../engine/values/hooks.ts');

const properties = {
  strength: float({ default: 1, min: 0, max: 10, step: 0.01 }),
  set_cond_area: combo(['default', 'mask bounds']),
  mask: optional(nullable(mask())),
  hooks: someHooks,
  timesteps: optional(nullable(socket<Range>('TIMESTEPS_RANGE', undefined, 'list'))),
};

interface Properties {
  readonly strength: number;
  readonly set_cond_area: string;
  readonly mask?: Mask | null;
  readonly hooks?: HookGroup | null;
  readonly timesteps?: Range | null;
}

async function withGiven(
  lists: readonly Conditioning[],
  { strength, set_cond_area, mask: region, hooks: group, timesteps }: Properties,
): Promise<Conditioning[]> {
  const { withProperties } = await attaching();
  return withProperties(lists, {
    hooks: group,
    timesteps,
    mask: region && {
      mask: region.shape.length < 3 ? reshape(region, [1, ...region.shape]) : region,
      maskStrength: strength,
      setAreaToBounds: set_cond_area !== 'default',
    },
  });
}

const joined = (lists: readonly Conditioning[], more: readonly Conditioning[]): Conditioning[] =>
  lists.map((list, i) => [...list, ...more[i]]);

async function withDefaults(
  lists: readonly Conditioning[],
  defaults: readonly Conditioning[],
  group: HookGroup | null | undefined,
): Promise<Conditioning[]> {
  const { withProperties } = await attaching();
  return joined(lists, withProperties(defaults, { hooks: group, isDefault: true }));
}

const single = 'advanced/hooks/cond single';
const pair = 'advanced/hooks/cond pair';

export const conditioningSetProperties = define({
  name: 'ConditioningSetProperties',
  displayName: 'Cond Set Props',
  category: single,
  description: 'Sets mask, hooks and part of the run.',
  inputs: { cond_NEW: conditioning(), ...properties },
  outputs: SINGLE,
  run: ({ cond_NEW, ...rest }) => withGiven([cond_NEW], rest),
});

export const conditioningSetPropertiesAndCombine = define({
  name: 'ConditioningSetPropertiesAndCombine',
  displayName: 'Cond Set Props Combine',
  category: single,
  description: 'Sets mask, hooks and part of the run, and appends the result.',
  inputs: { cond: conditioning(), cond_NEW: conditioning(), ...properties },
  outputs: SINGLE,
  run: async ({ cond, cond_NEW, ...rest }) => joined([cond], await withGiven([cond_NEW], rest)),
});

export const pairConditioningSetProperties = define({
  name: 'PairConditioningSetProperties',
  displayName: 'Cond Pair Set Props',
  category: pair,
  description: 'Sets mask, hooks and part of the run on both sides.',
  inputs: { positive_NEW: conditioning(), negative_NEW: conditioning(), ...properties },
  outputs: PAIR,
  run: ({ positive_NEW, negative_NEW, ...rest }) => withGiven([positive_NEW, negative_NEW], rest),
});

export const pairConditioningSetPropertiesAndCombine = define({
  name: 'PairConditioningSetPropertiesAndCombine',
  displayName: 'Cond Pair Set Props Combine',
  category: pair,
  description: 'Sets mask, hooks and part of the run on both sides, and appends the results.',
  inputs: {
    positive: conditioning(),
    negative: conditioning(),
    positive_NEW: conditioning(),
    negative_NEW: conditioning(),
    ...properties,
  },
  outputs: PAIR,
  run: async ({ positive, negative, positive_NEW, negative_NEW, ...rest }) =>
    joined([positive, negative], await withGiven([positive_NEW, negative_NEW], rest)),
});

export const conditioningSetDefaultCombine = define({
  name: 'ConditioningSetDefaultCombine',
  displayName: 'Cond Set Default Combine',
  category: single,
  description: 'Appends conditioning for what the other leaves uncovered.',
  inputs: { cond: conditioning(), cond_DEFAULT: conditioning(), hooks: someHooks },
  outputs: SINGLE,
  run: ({ cond, cond_DEFAULT, hooks: group }) => withDefaults([cond], [cond_DEFAULT], group),
});

export const pairConditioningSetDefaultCombine = define({
  name: 'PairConditioningSetDefaultCombine',
  displayName: 'Cond Pair Set Default Combine',
  category: pair,
  description: 'Appends conditioning for what the other leaves uncovered, on both sides.',
  inputs: {
    positive: conditioning(),
    negative: conditioning(),
    positive_DEFAULT: conditioning(),
    negative_DEFAULT: conditioning(),
    hooks: someHooks,
  },
  outputs: PAIR,
  run: ({ positive, negative, positive_DEFAULT, negative_DEFAULT, hooks: group }) =>
    withDefaults([positive, negative], [positive_DEFAULT, negative_DEFAULT], group),
});

export const pairConditioningCombine = define({
  name: 'PairConditioningCombine',
  displayName: 'Cond Pair Combine',
  category: pair,
  description: 'Two pairs as one.',
  inputs: {
    positive_A: conditioning(),
    negative_A: conditioning(),
    positive_B: conditioning(),
    negative_B: conditioning(),
  },
  outputs: PAIR,
  run: ({ positive_A, negative_A, positive_B, negative_B }) =>
    joined([positive_A, negative_A], [positive_B, negative_B]),
});

export const hookConditioningNodes: readonly NodeDefinition[] = [
  conditioningSetProperties,
  conditioningSetPropertiesAndCombine,
  pairConditioningSetProperties,
  pairConditioningSetPropertiesAndCombine,
  conditioningSetDefaultCombine,
  pairConditioningSetDefaultCombine,
  pairConditioningCombine,
];
