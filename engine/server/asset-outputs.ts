/**
 * Files that nodes save become assets: between an engine and the dispatcher every output that names
 * a file gets an `id`, in the `executed` message and in the history alike.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Assets } from '../assets/client.ts';
import type { FromEngine } from '../worker/messages.ts';
import { NoodleError } from '../errors.ts';
import type { EngineEvents, StartEngine } from '../worker/process-link.ts';
import type { DirectoryType, Folders } from '../store/folders.ts';
import { below, isFile, nameParts } from '../store/paths.ts';
import { Float, type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';

const TYPES: readonly Json[] = ['output', 'temp'];

type Fields = { [key: string]: Json };

/** Starts engines as `start` does, with outputs made known to `assets`. */
export function withAssetIds(start: StartEngine, assets: Assets, folders: Folders): StartEngine {
  return (events) => {
    /** `type/subfolder/filename` -> id, of the job that this engine runs. */
    const ids = new Map<string, string>();
    let jobId: string | undefined;

    const idOf = (job: string, { filename, subfolder, type }: Fields): string | undefined => {
      if (typeof filename !== 'string' || !TYPES.includes(type)) return undefined;
      const folder = typeof subfolder === 'string' ? subfolder : '';
      const key = JSON.stringify([type, folder, filename]);
      let id = ids.get(key);
      if (id !== undefined) return id;
      const path = pathOf(folders, type as DirectoryType, folder, filename);
      if (path === undefined) return undefined;
      ids.set(key, (id = randomUUID()));
      // The thread takes requests in their order: nobody can ask for the asset before it is there.
      void assets.call('registerOutput', { uuid: id, path, job }).catch(() => undefined);
      return id;
    };

    /** The outputs of one node with ids where lists hold files. */
    const identify = (job: string, ui: Json): void => {
      if (!isObject(ui)) return;
      for (const entry of Object.values(ui).flatMap((list) => (Array.isArray(list) ? list : []))) {
        const id = isObject(entry) ? idOf(job, entry) : undefined;
        if (id !== undefined) (entry as Fields).id = id;
      }
    };

    const translate = (message: FromEngine): FromEngine => {
      if (message.type !== 'done' && (message.type !== 'event' || message.event !== 'executed')) {
        return message;
      }
      if (message.jobId !== jobId) {
        jobId = message.jobId;
        ids.clear();
      }
      if (message.type === 'event') {
        const data = parseJson(message.data) as Fields;
        identify(message.jobId, data.output);
        return { ...message, data: stringifyJson(data) };
      }
      const outputs = parseJson(message.result.outputs) as Fields;
      for (const ui of Object.values(outputs)) identify(message.jobId, ui);
      return { ...message, result: { ...message.result, outputs: stringifyJson(outputs) } };
    };

    const own: EngineEvents = {
      message: (message) => events.message(translate(message)),
      exit: (how) => events.exit(how),
    };
    return start(own);
  };
}

/** The absolute path of an output that is there; undefined for anything else. */
function pathOf(
  folders: Folders,
  type: DirectoryType,
  subfolder: string,
  filename: string,
): string | undefined {
  const root = folders.directory(type);
  try {
    const path = join(root, ...nameParts(below(subfolder, filename)));
    return isFile(path) ? path : undefined;
  } catch (error) {
    if (error instanceof NoodleError) return undefined;
    throw error;
  }
}

const isObject = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);
