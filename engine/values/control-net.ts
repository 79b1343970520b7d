/** CONTROL_NET, and what applying one puts on conditioning; plain data. */
import type { NDArray } from '../array/nd.ts';
import type { ControlLists, ResidualSize } from '../arch/residual-places.ts';
import { NoodleError } from '../errors.ts';
import type { NetworkChange } from '../sampling/conditioning.ts';
import type { SessionOutput } from '../runtime/runtime.ts';
import type { ModelInput } from '../sampling/model.ts';
import type { ChangeRun } from './change.ts';
import type { Image } from './media.ts';
import type { Weighted } from './network.ts';
import type { Vae } from './vae.ts';

/** A network that makes residuals for another one from a hint picture. */
export interface ControlNet extends Weighted {
  /** Its row in `control.ts`. */
  readonly kind: ControlKindName;
  /**
   * For files that change the weights of a UNet: low-rank products on those of the model that is
   * sampled, or differences from those of `base`.
   */
  readonly onModel?: 'lora' | { readonly base: Weighted };
  /** Every residual is replaced by its mean over the picture (the `shuffle` networks). */
  readonly pooled: boolean;
  /** The kind of hint that a union network is told; none: it finds out. */
  readonly type?: number;
  /** The kind of hint that a file says it is for. */
  readonly preparedFor?: number;
  /** It reads a mask beside the hint. */
  readonly masked?: boolean;
}

export type ControlKindName =
  'controlnet' | 't2i-adapter' | 'transformer-controlnet' | 'cascade-controlnet';

/** A ControlNet with its hint: the change `control` of a conditioning entry. */
export interface Control extends NetworkChange {
  readonly net: ControlNet;
  readonly image: Image;
  /** What makes latents of the pictures, for networks that read latents. */
  readonly vae?: Vae | null | undefined;
  /** [n, 1, h, w]: 0 where the picture is painted anew, for networks that read a mask. */
  readonly mask?: NDArray | undefined;
  readonly strength: number;
  /** Parts of the run (0 start .. 1 end) between which it acts. */
  readonly startPercent: number;
  readonly endPercent: number;
  /** The one applied before it; their residuals add up. */
  readonly previous?: Control;
}

/** A kind of control network bound to a run. */
export interface BoundControl {
  /** The sizes of what `residuals` gives. */
  readonly sizes: ControlLists<ResidualSize>;
  /** Throws BAD_INPUT where a call is not what the network was made for; also asked while it does not act. */
  readonly check?: (input: ModelInput) => void;
  /** Residuals of one call, times the strength; those of one that is not alone are on the host. */
  residuals(input: ModelInput): Promise<ControlLists<SessionOutput>>;
  /** Bytes of its residuals for each latent cell of a row. */
  readonly cellBytes: number;
}

/** Where a control network is bound. */
export interface ControlRun extends ChangeRun {
  /** No other's residuals are added to its own. */
  readonly isAlone: boolean;
}

export type ControlKind = (control: Control, run: ControlRun) => BoundControl;

/** A residual of a control network that is not alone. */
export function onHost(residual: SessionOutput): NDArray {
  if ('data' in residual) return residual;
  throw new NoodleError('PROGRAM', { reason: 'residuals that are added up are on a device' });
}

const titles: Readonly<Record<ControlKindName, string>> = {
  controlnet: 'ControlNet',
  't2i-adapter': 'T2I-Adapter',
  'transformer-controlnet': 'ControlNet',
  'cascade-controlnet': 'ControlNet',
};

/** BAD_INPUT that names the file of a control network. */
export const misfit = ({ kind, source }: ControlNet, expected: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', {
    subject: `the ${titles[kind]} ${source.label}`,
    expected,
    got,
  });
