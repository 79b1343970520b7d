/** Where golden cases are computed: on the CPU in full precision, or as `npm run golden` is told. */
import { createInventory } from '../../engine/runtime/devices/list.ts';
import { precisionsOf } from '../../engine/runtime/precision.ts';
import { type DeviceKind, deviceKinds } from '../../engine/runtime/providers.ts';
import { type Runtime, createRuntime } from '../../engine/runtime/runtime.ts';

/** What was computed: one call of a network, or a whole workflow. */
export type Extent = 'network' | 'workflow';

type Shares = Readonly<Record<Extent, number>>;

/**
 * How far results may be from the reference's, of their size (root mean square), where they are not within
 * the case's own tolerance; undefined: that alone holds. Half precision: 1.5e-2 at most on Mesa's driver in
 * software. Over a workflow it grows: the networks there are untrained, guidance is strong, and some steps have
 * thresholds; most are within 5e-2, self-attention guidance is the furthest with 1.6e-1. Weights in whole numbers:
 * the same (1.4e-2 at most, some steps with ControlNets 2.9e-2), for most networks there are too small to have any.
 * CUDA has not been run yet; TensorFloat-32 would need its share.
 */
const allowed: Readonly<Record<DeviceKind, Readonly<Record<string, Shares | undefined>>>> = {
  cpu: { fp32: undefined },
  webgpu: {
    fp32: undefined,
    fp16: { network: 2e-2, workflow: 2e-1 },
    int8: { network: 2e-2, workflow: 2e-1 },
  },
  cuda: { fp32: { network: 1e-3, workflow: 1e-2 }, fp16: { network: 2e-2, workflow: 2e-1 } },
};

const isKind = (name: string): name is DeviceKind => Object.hasOwn(deviceKinds, name);

let device: { readonly kind: DeviceKind; readonly precision: string; readonly inSteps?: boolean } =
  {
    kind: 'cpu',
    precision: 'fp32',
  };

/**
 * From here on cases are computed on this kind of device; areas read it when they are imported. Throws
 * for one that is unknown or has no stated tolerance in this precision.
 */
export function useDevice(kind: string, precision?: string): void {
  if (!isKind(kind)) {
    throw new Error(`no device '${kind}', there are ${Object.keys(deviceKinds).join(', ')}`);
  }
  const names = Object.keys(allowed[kind]);
  const chosen = precision ?? Object.keys(deviceKinds[kind])[0];
  if (!names.includes(chosen)) {
    throw new Error(`on ${kind} cases have tolerances in ${names.join(', ')}, not in ${chosen}`);
  }
  device = { kind, precision: chosen };
}

/** Looks at what there is of its kind: attention is fused only where that is right. */
export async function lookAtDevice(): Promise<void> {
  const [first] = (await createInventory()[device.kind]()).devices;
  device = { ...device, inSteps: first?.inSteps };
}

/** A runtime of that device; every part is computed in its precision, also those that may overflow. */
export function goldenRuntime(): Runtime {
  const { kind, precision, inSteps } = device;
  const wish = { names: [precision] };
  const { rowFor } = precisionsOf(
    { id: kind, kind, inSteps },
    { network: wish, 'text-encoder': wish, vae: wish },
  );
  return createRuntime({ threads: 2, rowFor });
}

/** What results may be off, of their size, beyond the case's own tolerance; undefined: nothing. */
export const allowedError = (extent: Extent): number | undefined =>
  allowed[device.kind][device.precision]?.[extent];
