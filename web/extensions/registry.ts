import { t } from '../locale/translate.ts';
import { toast, type State } from '../state.ts';
import { messageOf } from '../text.ts';
import type { Extension, Hook } from './extension.ts';

/** Milliseconds that the page waits for a hook. */
const patience = 10_000;

export type Registry = ReturnType<typeof createRegistry>;

/** The extensions that packs registered; one that fails is named once and costs the others nothing. */
export function createRegistry(state: State) {
  const extensions: Extension[] = [];
  const named = new Set<string>();
  /** Hooks that did not come to an end: they are not called again, each call would be waited for. */
  const late = new Set<string>();

  /** Says which extension failed at what, once: drawing fails with every frame. */
  const failed = (name: string, where: string, error: unknown): void => {
    if (named.has(`${name} ${where}`)) return;
    named.add(`${name} ${where}`);
    console.error(`${name}: ${where}`, error); // eslint-disable-line no-console -- for who writes the pack
    const values = { name, where, why: messageOf(error) };
    toast(state, t('The extension {name} failed in {where}: {why}', values), 'error');
  };

  /** Runs what belongs to an extension; undefined when it fails. */
  const guarded = <T>(name: string, where: string, run: () => T): T | undefined => {
    try {
      const result = run();
      if (result instanceof Promise) result.catch((error: unknown) => failed(name, where, error));
      return result;
    } catch (error) {
      failed(name, where, error);
      return undefined;
    }
  };

  return {
    extensions: extensions as readonly Extension[],
    failed,
    guarded,
    /** Throws where a pack registers nothing that could be called by its name, or a name again. */
    register: (extension: Extension): void => {
      if (typeof extension?.name !== 'string' || extension.name === '') {
        throw new TypeError("Extensions must have a 'name' property.");
      }
      if (extensions.some(({ name }) => name === extension.name)) {
        throw new Error(`Extension named '${extension.name}' already registered.`);
      }
      extensions.push(extension);
    },
    /** Calls a hook of all extensions that have it; what it leaves changed on `target` is guarded. */
    call: (hook: Hook, args: readonly unknown[], target?: object): unknown[] =>
      extensions.flatMap((extension) => {
        const run = extension[hook];
        if (typeof run !== 'function') return [];
        const before = target === undefined ? new Map<string, unknown>() : handlersOf(target);
        const call = (): unknown =>
          (run as (...a: unknown[]) => unknown).apply(extension, [...args]);
        const result = guarded(extension.name, hook, call);
        if (target !== undefined) {
          guardHandlers(target, before, (where, inner) => guarded(extension.name, where, inner));
        }
        return [result];
      }),
    /** Like `call`, one extension after the other, each waited for as long as `patience` says. */
    callInTurn: async (
      hook: Hook,
      args: readonly unknown[],
      target?: object,
    ): Promise<unknown[]> => {
      const results: unknown[] = [];
      for (const extension of extensions) {
        const run = extension[hook];
        const key = `${extension.name} ${hook}`;
        if (typeof run !== 'function' || late.has(key)) continue;
        const before = target === undefined ? new Map<string, unknown>() : handlersOf(target);
        try {
          const answer = (run as (...a: unknown[]) => unknown).apply(extension, [...args]);
          results.push(await inTime(answer, () => late.add(key)));
        } catch (error) {
          failed(extension.name, hook, error);
        }
        if (target !== undefined) {
          guardHandlers(target, before, (where, inner) => guarded(extension.name, where, inner));
        }
      }
      return results;
    },
  };
}

/** What is given, as soon as it is there; throws, and tells, when it does not come in time. */
export async function inTime<T>(given: T | Promise<T>, tooLate: () => void): Promise<T> {
  if (!(given instanceof Promise)) return given;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      tooLate();
      reject(new Error(t('it did not end within {seconds} s', { seconds: patience / 1000 })));
    }, patience);
  });
  try {
    return await Promise.race([given, end]);
  } finally {
    clearTimeout(timer);
  }
}

type Guard = (where: string, run: () => unknown) => unknown;

/** The handlers of a node or its prototype: what litegraph calls when something happens to it. */
function handlersOf(target: object): Map<string, unknown> {
  const names = Object.keys(target).filter((name) => /^on[A-Z]/.test(name));
  return new Map(names.map((name) => [name, (target as Record<string, unknown>)[name]]));
}

/** Wraps handlers that are new since `before`: one that throws while drawing would stop all drawing. */
function guardHandlers(target: object, before: ReadonlyMap<string, unknown>, guard: Guard): void {
  for (const [name, handler] of handlersOf(target)) {
    if (typeof handler !== 'function' || handler === before.get(name)) continue;
    (target as Record<string, unknown>)[name] = function (this: unknown, ...args: unknown[]) {
      return guard(name, () => (handler as (...a: unknown[]) => unknown).apply(this, args));
    };
  }
}
