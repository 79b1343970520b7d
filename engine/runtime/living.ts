/** Results of a session that stay on its device, and which of them are still there. */
import type { OrtTensor } from './ort.ts';

/**
 * A result that stayed on the device: other sessions of the device can be fed with it, nobody else can read
 * it. Its memory comes back when it is released, or with the garbage at some later time.
 */
export interface DeviceArray {
  readonly tensor: OrtTensor;
  readonly shape: readonly number[];
  release(): void;
}

export interface Living {
  readonly keep: (result: OrtTensor) => DeviceArray;
  /**
   * Does `action` now, or when the last one is gone; that is not waited for, as who reads it may be waiting
   * for this. Native code ends the process when a result outlives its session.
   */
  readonly afterLast: (action: () => Promise<void>) => Promise<void>;
}

const forgotten = new FinalizationRegistry<() => void>((letGo) => letGo());

/** The living results of one session. */
export function createLiving(): Living {
  const living = new Set<OrtTensor>();
  let afterLast: (() => Promise<void>) | undefined;
  return {
    keep: (tensor) => {
      living.add(tensor);
      const letGo = (): void => {
        if (!living.delete(tensor)) return;
        tensor.dispose();
        if (living.size === 0) void afterLast?.();
      };
      const result = { tensor, shape: tensor.dims, release: letGo };
      forgotten.register(result, letGo);
      return result;
    },
    afterLast: async (action) => {
      if (living.size === 0) await action();
      else afterLast = action;
    },
  };
}
