/**
 * Changes of a diffusion network that conditioning entries bring for their own calls, by kind. An entry
 * carries them as plain data (`ConditioningEntry.changes`); what a kind does is its row here. Entries
 * with the same changes share calls, so a call has one set of them. What changes from call to call are
 * feeds of patches: a kind opens a session of its own only for another program.
 */
import type { ConditioningEntry, NetworkChange } from '../sampling/conditioning.ts';
import type { BoundChange, ChangeRun } from './change.ts';
import { type BlockControl, bindBlockControl } from './block-control.ts';
import { type Control, bindControl } from './control.ts';
import { type TextBoxes, bindTextBoxes } from './gligen.ts';
import type { HookGroup } from './hook-group.ts';
import { bindHooks } from './hooks.ts';

type ChangeKind = (change: NetworkChange, run: ChangeRun) => BoundChange;

const kinds: Readonly<Record<string, ChangeKind>> = {
  hooks: (change, run) => bindHooks(change as HookGroup, run),
  control: (change, run) => bindControl(change as Control, run),
  'block-control': (change, run) => bindBlockControl(change as BlockControl, run),
  gligen: (change, run) => bindTextBoxes(change as TextBoxes, run),
};

/** The changes of entries during one run; each is bound once, when it is first met. */
export interface RunChanges {
  /** Of the model, and of all that an entry carries, in the order of the kinds. */
  of(entry: ConditioningEntry): readonly BoundChange[];
}

/** A change that a model carries for all its calls, by kind. */
export type ModelChange = readonly [kind: string, change: NetworkChange];

/** Changes bound to a run; those of the model itself come first. */
export function runChanges(run: ChangeRun, own: readonly ModelChange[] = []): RunChanges {
  const bound = new Map<NetworkChange, BoundChange>();
  const bind = (kind: ChangeKind, change: NetworkChange): BoundChange => {
    const made = bound.get(change) ?? kind(change, run);
    bound.set(change, made);
    return made;
  };
  return {
    of: ({ changes = {} }) => [
      ...own.map(([name, change]) => bind(kinds[name], change)),
      ...Object.entries(kinds)
        .filter(([name]) => changes[name] !== undefined)
        .map(([name, kind]) => bind(kind, changes[name])),
    ],
  };
}
