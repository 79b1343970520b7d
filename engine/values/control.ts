/**
 * ControlNets on conditioning: the change `control` of an entry. Rules of application: ComfyUI's
 * (golden data README of the `controlnet` area).
 */
import { add } from '../array/elementwise.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { type ResidualPlaces, type ResidualSize, residualsAt } from '../arch/residual-places.ts';
import { residualPatch } from '../patch/residuals.ts';
import type { SessionOutput } from '../runtime/runtime.ts';
import type { Conditioning } from '../sampling/conditioning.ts';
import type { ModelInput } from '../sampling/model.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { BoundChange, ChangeRun } from './change.ts';
import {
  type Control,
  type ControlKind,
  type ControlKindName,
  type ControlNet,
  type ControlRun,
  misfit,
  onHost,
} from './control-net.ts';
import { cascadeControlKind } from './cascade-control-kind.ts';
import { controlNetKind } from './controlnet-kind.ts';
import { t2iAdapterKind } from './t2i-adapter-kind.ts';
import { transformerControlKind } from './transformer-control-kind.ts';

export type { Control, ControlNet };

const kinds: Readonly<Record<ControlKindName, ControlKind>> = {
  controlnet: controlNetKind,
  't2i-adapter': t2iAdapterKind,
  'transformer-controlnet': transformerControlKind,
  'cascade-controlnet': cascadeControlKind,
};

/** How a ControlNet is put on conditioning. */
export type Application = Pick<Control, 'net' | 'image' | 'strength'> &
  Partial<Pick<Control, 'startPercent' | 'endPercent' | 'spreads' | 'vae' | 'mask'>>;

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

/**
 * A chain of ControlNets bound to a run: the sum of their residuals as one patch. Throws BAD_INPUT, naming
 * the file, where one of them does not fit the model.
 */
export function bindControl(last: Control, run: ChangeRun): BoundChange {
  const { title, residuals } = run.family;
  const places = residuals?.(openWeights(run.network.source));
  if (!places) throw misfit(last.net, 'a model that takes ControlNets', title);
  const controls = chain(last);
  const isAlone = controls.length === 1;
  const bound = controls.map((control) => bindOne(control, { ...run, isAlone }, places));
  const used = bound.flatMap(({ sizes }) => [...sizes.keys()]);
  const patch = residualPatch(patchName, new Map(used.map((site) => [site, places.get(site)!])));
  return {
    cellBytes: bound.reduce((sum, { cellBytes }) => sum + cellBytes, 0),
    async patches(input: ModelInput) {
      const sums = new Map<string, SessionOutput>();
      const sum = sharedSums();
      for (const { values } of bound) {
        for (const [site, value] of await values(input)) {
          const before = sums.get(site);
          sums.set(site, before ? sum(before, value) : value);
        }
      }
      const named = [...sums].map(([site, value]) => [`${patchName}/${site}`, value] as const);
      const done = (): void => {
        for (const value of new Set(sums.values())) if ('release' in value) value.release();
      };
      return [{ ...patch, feeds: () => Object.fromEntries(named), done }];
    },
  };
}

const patchName = 'control';

interface Bound {
  readonly cellBytes: number;
  /** Of its residuals, by the sites of the model that take them. */
  readonly sizes: ReadonlyMap<string, ResidualSize>;
  /** Its residuals for a call by site; zeros where it does not act, so that all steps run one program. */
  readonly values: (input: ModelInput) => Promise<ReadonlyMap<string, SessionOutput>>;
}

function bindOne(control: Control, run: ControlRun, places: ResidualPlaces): Bound {
  const kind = kinds[control.net.kind](control, run);
  const [start, end] = [control.startPercent, control.endPercent].map((percent) =>
    Math.fround(run.sampling.percentToSigma(percent)),
  );
  const sizes = residualsAt(places, kind.sizes);
  for (const [site, size] of sizes) checkSize(control.net, site, places.get(site)!, size);
  return {
    cellBytes: kind.cellBytes,
    sizes,
    async values(input) {
      kind.check?.(input);
      const active = input.sigma <= start && input.sigma >= end;
      if (active) return residualsAt(places, await kind.residuals(input));
      return nothing([...sizes.keys()], places, input.x.shape);
    },
  };
}

/** Zeros for every site; sites of one size share theirs. */
function nothing(
  sites: readonly string[],
  places: ResidualPlaces,
  [rows, ...latent]: readonly number[],
): ReadonlyMap<string, NDArray> {
  const made = new Map<string, NDArray>();
  return new Map(
    sites.map((site) => {
      const { channels, halvings, to } = places.get(site)!;
      const [h, w] = latent.slice(-2).map((size) => Math.ceil(size / 2 ** halvings));
      const shape = to === 'tokens' ? [rows, h * w, channels] : [rows, channels, h, w];
      const value = made.get(shape.join()) ?? zeros(shape);
      made.set(shape.join(), value);
      return [site, value];
    }),
  );
}

/** Sums of residuals; sites that share both share the sum. */
function sharedSums(): (a: SessionOutput, b: SessionOutput) => NDArray {
  const known = new Map<SessionOutput, Map<SessionOutput, NDArray>>();
  return (a, b) => {
    const ofA = known.get(a) ?? new Map<SessionOutput, NDArray>();
    const sum = ofA.get(b) ?? add(onHost(a), onHost(b));
    known.set(a, ofA.set(b, sum));
    return sum;
  };
}

function checkSize(net: ControlNet, site: string, of: ResidualSize, got: ResidualSize): void {
  if (got.channels === of.channels && got.halvings === of.halvings) return;
  const spelled = ({ channels, halvings }: ResidualSize): string =>
    `${channels} channels at 1/${2 ** halvings} of the latent's size`;
  throw misfit(
    net,
    `${spelled(of)} for '${site}' of the model`,
    `${spelled(got)}; it was made for other models`,
  );
}

/** Oldest first. */
function chain(last: Control): Control[] {
  const controls: Control[] = [];
  for (let control: Control | undefined = last; control; control = control.previous) {
    controls.unshift(control);
  }
  return controls;
}
