/** What a runtime has open. */
import type { Runtime } from '../../engine/runtime/runtime.ts';

/** The keys of its open models, sorted. */
export const keysOf = (runtime: Runtime): string[] =>
  runtime
    .stats()
    .sessions.map(({ key }) => key)
    .sort();
