/** In which precision each part of a workflow is computed: what was asked for, and what a device makes of it. */
import { NoodleError } from '../errors.ts';
import { inSteps } from './provider.ts';
import { type DeviceKind, type PrecisionRow, type Provider, deviceKinds } from './providers.ts';

/** Parts that may be computed in precisions of their own; whatever is none of them goes with the network. */
export type Role = 'network' | 'text-encoder' | 'vae';

/** What a network says of itself. */
export interface Needs {
  /** Left out: network. */
  readonly role?: Role;
  /** Its values overflow in half precision. */
  readonly fullPrecision?: boolean;
}

/** What was asked for on the command line; plain data. */
export interface PrecisionWish {
  /** By name, the first choice first; none: what the device has when nobody asks. */
  readonly names: readonly string[];
  /** Computed on this device in place of the engine's. */
  readonly device?: DeviceKind;
  /**
   * The flag of ComfyUI's that says so. A start script with such flags goes on working: where the
   * device has none of the names its own precision is taken, and said.
   */
  readonly flag?: string;
}

/** By part; `all` speaks for those that have no wish of their own. */
export type PrecisionWishes = Readonly<Partial<Record<'all' | Role, PrecisionWish>>>;

/** What comes of wishes on a device. */
export interface Precisions {
  /** How a network is computed that says this of itself. */
  readonly rowFor: (needs: Needs) => PrecisionRow;
  /** For logs and pages. */
  readonly names: Readonly<Record<Role, string>>;
  /** What is done otherwise than a user might expect. */
  readonly notices: readonly string[];
}

const titles = { network: 'networks', 'text-encoder': 'text encoders', vae: 'VAE' } as const;
const roles = Object.keys(titles) as readonly Role[];

/** What of a device decides about precision. */
export interface PrecisionDevice {
  readonly id: string;
  readonly kind: DeviceKind;
  /** Those of its kind that it computes in; left out: all. */
  readonly precisions?: readonly string[];
  /** Whether its fused attention is not to be used. */
  readonly inSteps?: boolean;
}

/**
 * The precision of each part on a device. Throws BAD_INPUT, with the names that there are, for one
 * that the device does not have.
 */
export function precisionsOf(engine: PrecisionDevice, wishes: PrecisionWishes = {}): Precisions {
  const chosen = Object.fromEntries(
    roles.map((role) => [role, choose(engine, role, wishes)]),
  ) as Record<Role, Choice>;
  const all = Object.values(chosen);
  return {
    rowFor: ({ role = 'network', fullPrecision = false }) => {
      const { provider, name, rows, asked } = chosen[role];
      if (!fullPrecision || provider.compute !== 'f16') return { provider };
      const full = Object.values(rows).find((row) => row.provider.compute === 'f32');
      if (!asked && full) return { provider: full.provider };
      const notice =
        `${titles[role]} in ${name}, though values of this model's may overflow in it, which makes ` +
        `black pictures; --precision ${role}=auto computes it in full precision`;
      return { provider, notice };
    },
    names: Object.fromEntries(roles.map((role) => [role, chosen[role].title])) as Record<
      Role,
      string
    >,
    notices: [...new Set(all.flatMap(({ notices }) => notices))],
  };
}

interface Choice {
  readonly name: string;
  /** The name, with the device where it is another one than the engine's. */
  readonly title: string;
  readonly provider: Provider;
  /** All that the device has. */
  readonly rows: Readonly<Record<string, PrecisionRow>>;
  /** By a wish for this very part. */
  readonly asked: boolean;
  readonly notices: readonly string[];
}

function choose(engine: PrecisionDevice, role: Role, wishes: PrecisionWishes): Choice {
  const { names, device: other, flag } = wishes[role] ?? wishes.all ?? { names: [] };
  const device: PrecisionDevice =
    other === undefined || other === engine.kind ? engine : { id: other, kind: other };
  const { id, precisions } = device;
  const rows = rowsOf(device);
  const known = Object.keys(rows).filter((name) => precisions?.includes(name) ?? true);
  const found = names.find((name) => known.includes(name));
  if (found === undefined && names.length > 0 && flag === undefined) {
    const expected = `${known.join(' or ')} (what ${id} has) or auto for ${titles[role]}`;
    throw new NoodleError('BAD_INPUT', { subject: '--precision', expected, got: names[0] });
  }
  const name = found ?? known[0];
  const otherwise = names.length > 0 && name !== names[0];
  const { provider, notice } = rows[name];
  return {
    name,
    title: id === engine.id ? name : `${name} on ${id}`,
    provider,
    rows: Object.fromEntries(known.map((one) => [one, rows[one]])),
    asked: wishes[role] !== undefined && found !== undefined,
    notices: [
      ...(otherwise ? [`${flag}: the nearest for ${titles[role]} on ${id} is ${name}`] : []),
      ...(notice === undefined ? [] : [notice]),
    ],
  };
}

/** The precisions of the device's kind, as this one has them. */
function rowsOf(device: PrecisionDevice): Readonly<Record<string, PrecisionRow>> {
  const rows: Readonly<Record<string, PrecisionRow>> = deviceKinds[device.kind];
  if (device.inSteps !== true) return rows;
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [name, { ...row, provider: inSteps(row.provider) }]),
  );
}

/** The names by part, as one line: `fp16`, or `networks fp16, text encoders fp16, VAE fp32`. */
export function precisionText({ names }: Pick<Precisions, 'names'>): string {
  const different = new Set(Object.values(names));
  if (different.size === 1) return names.network;
  return roles.map((role) => `${titles[role]} ${names[role]}`).join(', ');
}
