/**
 * Files that nodes save become assets: between an engine and the dispatcher every output that names
 * a file gets an `id`, in the `executed` message and in the history alike. Which files there are is
 * what the engine says.
 */
import { randomUUID } from 'node:crypto';
import type { Assets } from '../assets/client.ts';
import type { Folders } from '../store/folders.ts';
import { shownFile } from '../store/shown-file.ts';
import { type StartEngine, contentOf, withContent } from '../worker/link.ts';
import type { FromEngine } from '../worker/messages.ts';
import { Float, type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';

type Fields = { [key: string]: Json };

/** Starts engines as `start` does, with outputs made known to `assets`. */
export function withAssetIds(start: StartEngine, assets: Assets, folders: Folders): StartEngine {
  return (events) => {
    /** File -> id, of the job that this engine runs. */
    const ids = new Map<string, string>();
    let jobId: string | undefined;

    const register = (job: string, directory: string, subfolder: string, name: string): void => {
      if (job !== jobId) ids.clear();
      jobId = job;
      const key = keyOf(directory, subfolder, name);
      const file = shownFile({ type: directory, subfolder, filename: name }, folders);
      if (file === undefined || ids.has(key)) return;
      const uuid = randomUUID();
      ids.set(key, uuid);
      // The thread takes requests in their order: nobody can ask for the asset before it is there.
      void assets.call('registerOutput', { uuid, path: file.path, job }).catch(() => undefined);
    };

    /** The outputs of one node with ids where lists hold files. */
    const identify = (ui: Json): void => {
      if (!isObject(ui)) return;
      for (const entry of Object.values(ui).flatMap((list) => (Array.isArray(list) ? list : []))) {
        if (!isObject(entry)) continue;
        const id = ids.get(keyOf(entry.type, entry.subfolder ?? '', entry.filename));
        if (id !== undefined) entry.id = id;
      }
    };

    const translate = (message: FromEngine): FromEngine => {
      if (message.type === 'wrote') {
        register(message.jobId, message.directory, message.subfolder, message.name);
      }
      if (!('jobId' in message) || message.jobId !== jobId) return message;
      if (message.type === 'event' && message.event === 'executed') {
        const data = contentOf(message) as Fields;
        identify(data.output);
        return withContent(message, data);
      }
      if (message.type !== 'done') return message;
      const untold = parseJson(message.end.untold) as Fields;
      Object.values(untold).forEach(identify);
      return { ...message, end: { ...message.end, untold: stringifyJson(untold) } };
    };

    return start({
      message: (message) => events.message(translate(message)),
      exit: (how) => events.exit(how),
    });
  };
}

const keyOf = (...parts: Json[]): string => JSON.stringify(parts);

const isObject = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);
