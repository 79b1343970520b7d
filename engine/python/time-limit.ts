/** A bound on synchronous work whose duration others choose, such as matching their patterns. */
import { Script, createContext } from 'node:vm';
import { NoodleError } from '../errors.ts';

/**
 * What `run` returns, or TIME_LIMIT when it takes longer than `seconds`; V8 looks at the clock
 * inside regular expressions too. `what` names the work in the error.
 */
export function withinTime<T>(what: string, seconds: number, run: () => T): T {
  const script = new Script('run()');
  try {
    return script.runInContext(createContext({ run }), { timeout: seconds * 1000 }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new NoodleError('TIME_LIMIT', { what, seconds }, { cause: error });
  }
}
