/**
 * ControlNets on conditioning: the change `control` of an entry. Rules of application: ComfyUI's
 * (golden data README of the `controlnet` area).
 */
import { add } from '../array/elementwise.ts';
import type { NDArray } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { type ResidualPlaces, residualPatch, unetPlaces } from '../patch/residuals.ts';
import type { Conditioning } from '../sampling/conditioning.ts';
import type { ModelInput } from '../sampling/model.ts';
import type { BoundChange, ChangeRun } from './change.ts';
import type { Control, ControlKind, ControlKindName, ControlNet } from './control-net.ts';
import { controlNetKind } from './controlnet-kind.ts';
import { t2iAdapterKind } from './t2i-adapter-kind.ts';

export type { Control, ControlNet };

const kinds: Readonly<Record<ControlKindName, ControlKind>> = {
  controlnet: controlNetKind,
  't2i-adapter': t2iAdapterKind,
};

/** How a ControlNet is put on conditioning. */
export type Application = Pick<Control, 'net' | 'image' | 'strength'> &
  Partial<Pick<Control, 'startPercent' | 'endPercent' | 'spreads'>>;

/**
 * Every entry of the lists with one more ControlNet on it. Entries that had the same one before share
 * the new one too, so that they can share calls; `spreads` gives every entry its own.
 */
export function withControl(
  lists: readonly Conditioning[],
  { startPercent = 0, endPercent = 1, spreads = false, ...given }: Application,
): Conditioning[] {
  const made = new Map<Control | undefined, Control>();
  return lists.map((list) =>
    list.map((entry) => {
      const previous = entry.changes?.['control'] as Control | undefined;
      const known = spreads ? undefined : made.get(previous);
      const control = known ?? { ...given, startPercent, endPercent, spreads, previous };
      made.set(previous, control);
      return { ...entry, changes: { ...entry.changes, control } };
    }),
  );
}

/** A chain of ControlNets bound to a run: the sum of their residuals as one patch. */
export function bindControl(last: Control, run: ChangeRun): BoundChange {
  if (!run.network.source.tensors.has('input_blocks.0.0.weight')) {
    const subject = `the model for the ControlNet ${last.net.source.label}`;
    throw new NoodleError('BAD_INPUT', { subject, expected: 'a UNet', got: 'another network' });
  }
  const bound = chain(last).map((control) => {
    const window = [control.startPercent, control.endPercent].map((percent) =>
      Math.fround(run.sampling.percentToSigma(percent)),
    );
    return { control: kinds[control.net.kind](control, run), window };
  });
  return {
    cellBytes: bound.reduce((sum, { control }) => sum + control.cellBytes, 0),
    async patches(input: ModelInput) {
      const places = new Map<string, 'output' | { readonly input: string }>();
      const sums = new Map<string, NDArray>();
      for (const { control, window } of bound) {
        const active = input.sigma <= window[0] && input.sigma >= window[1];
        // also where it does not act, so that all steps run the same program
        const own = unetPlaces(await control.residuals(input, active));
        own.places.forEach((to, site) => places.set(site, to));
        own.values.forEach((value, site) => {
          const before = sums.get(site);
          sums.set(site, before ? add(before, value) : value);
        });
      }
      return [fedResiduals(places, sums)];
    },
  };
}

const patchName = 'control';

const fedResiduals = (places: ResidualPlaces, values: ReadonlyMap<string, NDArray>) => ({
  ...residualPatch(patchName, places),
  feeds: () =>
    Object.fromEntries([...values].map(([site, value]) => [`${patchName}/${site}`, value])),
});

/** Oldest first. */
function chain(last: Control): Control[] {
  const controls: Control[] = [];
  for (let control: Control | undefined = last; control; control = control.previous) {
    controls.unshift(control);
  }
  return controls;
}
