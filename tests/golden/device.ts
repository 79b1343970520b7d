/** Where golden cases are computed: on the CPU in full precision, or as `npm run golden` is told. */
import { precisionsOf } from '../../engine/runtime/precision.ts';
import { type DeviceKind, deviceKinds } from '../../engine/runtime/providers.ts';
import { type Runtime, createRuntime } from '../../engine/runtime/runtime.ts';

/**
 * How far results may be from the reference's, of their size (root mean square), where they are not within
 * the case's own tolerance. None: the case's holds, as the reference's own device computes.
 */
const allowed: Readonly<Record<DeviceKind, Readonly<Record<string, number | undefined>>>> = {
  cpu: { fp32: undefined },
  webgpu: { fp32: 1e-3, fp16: 3e-2 },
  cuda: { fp32: 1e-3, fp16: 3e-2 },
};

const isKind = (name: string): name is DeviceKind => Object.hasOwn(deviceKinds, name);

let device: { readonly kind: DeviceKind; readonly precision: string } = {
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

/** A runtime of that device; every part is computed in its precision, also those that may overflow. */
export function goldenRuntime(): Runtime {
  const { kind, precision } = device;
  const wish = { names: [precision] };
  const { rowFor } = precisionsOf(
    { id: kind, kind },
    { network: wish, 'text-encoder': wish, vae: wish },
  );
  return createRuntime({ threads: 2, rowFor });
}

/** What results may be off, of their size, beyond the case's own tolerance; undefined: nothing. */
export const allowedError = (): number | undefined => allowed[device.kind][device.precision];
