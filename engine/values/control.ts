/**
 * ControlNets on conditioning: the change `control` of an entry. Rules of application: ComfyUI's
 * (golden data README of the `controlnet` area).
 */
import { add } from '../array/elementwise.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { unetBlocks } from '../arch/unet.ts';
import { NoodleError } from '../errors.ts';
import {
  type ResidualPlaces,
  type ResidualSize,
  residualPatch,
  residualPlaces,
  residualSites,
} from '../patch/residuals.ts';
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

/**
 * A chain of ControlNets bound to a run: the sum of their residuals as one patch. Throws BAD_INPUT, naming
 * the file, where one of them does not fit the model.
 */
export function bindControl(last: Control, run: ChangeRun): BoundChange {
  if (!run.network.source.tensors.has('input_blocks.0.0.weight')) {
    const subject = `the model for the ControlNet ${last.net.source.label}`;
    throw new NoodleError('BAD_INPUT', { subject, expected: 'a UNet', got: 'another network' });
  }
  const places = residualPlaces(unetBlocks(openWeights(run.network.source)));
  const controls = chain(last);
  const isAlone = controls.length === 1;
  const bound = controls.map((control) => bindOne(control, { ...run, isAlone }, places));
  const used = bound.flatMap(({ sizes }) => [...sizes.keys()]);
  const patch = residualPatch(patchName, new Map(used.map((site) => [site, places.get(site)!])));
  return {
    cellBytes: bound.reduce((sum, { cellBytes }) => sum + cellBytes, 0),
    async patches(input: ModelInput) {
      const sums = new Map<string, SessionOutput>();
      for (const { values } of bound) {
        for (const [site, value] of await values(input)) {
          const before = sums.get(site);
          sums.set(site, before ? add(onHost(before), onHost(value)) : value);
        }
      }
      const named = [...sums].map(([site, value]) => [`${patchName}/${site}`, value] as const);
      const done = (): void => {
        for (const value of sums.values()) if ('release' in value) value.release();
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
  const sizes = new Map([...residualSites(kind.sizes)].filter(([site]) => places.has(site)));
  for (const [site, size] of sizes) checkSize(control.net, site, places.get(site)!, size);
  return {
    cellBytes: kind.cellBytes,
    sizes,
    async values(input) {
      kind.check?.(input);
      const active = input.sigma <= start && input.sigma >= end;
      if (active) return residualSites(await kind.residuals(input));
      return new Map([...sizes].map(([site, size]) => [site, nothing(size, input.x.shape)]));
    },
  };
}

function nothing(
  { channels, halvings }: ResidualSize,
  [rows, , height, width]: readonly number[],
): NDArray {
  const [h, w] = [height, width].map((size) => Math.ceil(size / 2 ** halvings));
  return zeros([rows, channels, h, w]);
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
