/** Hooks at work: the patches they are on networks, and the change `hooks` of conditioning entries. */
import { fitAdapters, loraPatch } from '../patch/lora/lora.ts';
import { type WeightNames, unetNames } from '../patch/lora/names.ts';
import type { NetworkCall, NetworkPatch } from '../patch/patch.ts';
import { towardPatch } from '../patch/toward.ts';
import type { Conditioning } from '../sampling/conditioning.ts';
import type { RunMemory } from '../sampling/model.ts';
import type { BoundChange, ChangeRun } from './change.ts';
import {
  type Hook,
  type HookGroup,
  type KeyframeCursor,
  type Keyframes,
  combineHooks,
  keyframeCursor,
} from './hook-group.ts';
import type { Weighted } from './network.ts';

/** Name of the diffusion network among those of a checkpoint; text encoders go by their own. */
export const modelPart = 'model';

/** The part of a model that hooks change. */
interface Target {
  readonly network: Weighted;
  readonly part: string;
  readonly names: WeightNames;
}

/** Patches of hooks on a network, at strengths that may differ from call to call. */
export function hookPatches(
  hooks: readonly Hook[],
  { network: { source }, part, names }: Target,
  strength: (hook: Hook, call: NetworkCall) => number,
): NetworkPatch[] {
  return hooks.flatMap((hook, i) => {
    const name = `hook${i}`;
    const at = (call: NetworkCall): number => strength(hook, call);
    if (hook.weights.kind === 'lora') {
      const fitted = fitAdapters(hook.weights.entries, names, source);
      return fitted.acts.size === 0 ? [] : [loraPatch(name, fitted, at)];
    }
    const theirs = hook.weights.networks.get(part);
    return theirs ? [towardPatch(name, { own: source, theirs }, at)] : [];
  });
}

/** Hooks of conditioning entries, bound to a run: strengths follow the noise level, nothing is reopened. */
export function bindHooks({ hooks }: HookGroup, run: ChangeRun): BoundChange {
  const { network, sampling } = run;
  /** Hooks that share keyframes go through them together, in whatever groups they are. */
  const cursorOf = (keyframes: Keyframes, { state }: RunMemory): KeyframeCursor => {
    const known = state.get(keyframes) as KeyframeCursor | undefined;
    const cursor = known ?? keyframeCursor(keyframes, sampling.percentToSigma);
    state.set(keyframes, cursor);
    return cursor;
  };
  const strengths = new Map<Hook, number>();
  const target = { network, part: modelPart, names: unetNames(network.source.tensors.keys()) };
  const active = hooks.filter(({ strengthModel }) => strengthModel !== 0);
  const patches = hookPatches(active, target, (hook) => strengths.get(hook)!);
  return {
    cellBytes: 0,
    async patches({ sigma, run: memory }) {
      const maxSigma = Math.max(...memory.sigmas);
      for (const hook of active) {
        strengths.set(
          hook,
          hook.strengthModel * cursorOf(hook.keyframes, memory).at(sigma, maxSigma),
        );
      }
      return patches;
    },
  };
}

/** What "set properties" nodes set; what is missing stays as it is. */
export interface ConditioningProperties {
  readonly hooks?: HookGroup | null;
  readonly timesteps?: readonly [start: number, end: number] | null;
  readonly mask?: ConditioningMask | null;
  /** Counts where no other entry of its list does. */
  readonly isDefault?: boolean;
}

type ConditioningMask = Required<
  Pick<Conditioning[number], 'mask' | 'maskStrength' | 'setAreaToBounds'>
>;

/** Lists with these properties; entries that had the same hooks share the same new ones. */
export function withProperties(
  lists: readonly Conditioning[],
  { hooks, timesteps, mask, isDefault }: ConditioningProperties,
): Conditioning[] {
  const joined = new Map<HookGroup | undefined, HookGroup>();
  const join = (before: HookGroup | undefined): HookGroup => {
    const known = joined.get(before) ?? combineHooks([before, hooks])!;
    joined.set(before, known);
    return known;
  };
  return lists.map((list) =>
    list.map((entry) => {
      const before = entry.changes?.['hooks'] as HookGroup | undefined;
      return {
        ...entry,
        ...mask,
        ...(hooks && { changes: { ...entry.changes, hooks: join(before) } }),
        ...(timesteps && { startPercent: timesteps[0], endPercent: timesteps[1] }),
        ...(isDefault && { isDefault }),
      };
    }),
  );
}
