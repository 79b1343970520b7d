/**
 * Runs prompts in an engine process of our own, the same that the server starts: native code blocks
 * its process, so progress and Ctrl-C need another one.
 */
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { parseConfig } from '../engine/config.ts';
import type { EngineSettings } from '../engine/config.ts';
import { objectInfo } from '../engine/graph/object-info.ts';
import { findPacks } from '../engine/packs/find-packs.ts';
import type { NodeRegistry } from '../engine/graph/definition.ts';
import { validatePrompt } from '../engine/graph/validate.ts';
import { machineInventory, planEngines } from '../engine/worker/engines.ts';
import { engineStarter } from '../engine/worker/process-link.ts';
import { NoodleError } from '../engine/errors.ts';
import { createFolders } from '../engine/store/folders.ts';
import type { Folders } from '../engine/store/folders.ts';
import { createUsers } from '../engine/store/users.ts';
import { PROGRAM_FORMS, workflowStore } from '../engine/store/workflows.ts';
import { isFile } from '../engine/store/paths.ts';
import { shownFile } from '../engine/store/shown-file.ts';
import { stringifyJson } from '../engine/workflow/lossless-json.ts';
import type { ApiPrompt } from '../engine/workflow/types.ts';
import { createPackHost } from '../engine/packs/pack-host.ts';
import { builtinNodes } from '../nodes/index.ts';
import { runInEngine } from './engine-job.ts';
import type { Outcome } from './engine-job.ts';
import { validationComplaints } from './runner.ts';
import type { Complaint, Runner } from './runner.ts';

export interface LocalOptions {
  /** Flags of `noodle serve`. */
  readonly flags: readonly string[];
  /** Takes the place of the output folder. */
  readonly out?: string;
  /** Hears of packs that cannot be loaded. */
  readonly log: (text: string) => void;
}

/** Sets up folders and nodes; the engine itself starts with the first run, on the first device named. */
export async function createLocalRunner({ flags, out, log }: LocalOptions): Promise<Runner> {
  const config = parseConfig(flags);
  const { engine } = config;
  // Previews must not fall into the temp folder of a server that runs beside us and wipes it.
  const temp = mkdtempSync(join(tmpdir(), 'noodle-run-'));
  const settings: EngineSettings = {
    ...engine,
    folders: {
      ...engine.folders,
      tempDirectory: temp,
      outputDirectory: out ?? engine.folders.outputDirectory,
    },
  };
  const folders = createFolders(settings.folders, log);
  const packs = createPackHost({
    folders: settings.folders,
    find: () =>
      findPacks({
        directories: folders.modelPaths('custom_nodes') ?? [],
        packs: settings.packs,
      }),
    builtin: Promise.resolve(builtinNodes()),
    log: (level, text) => void (level !== 'DEBUG' && !isClosed && log(text)),
  });
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    packs.close();
    rmSync(temp, { recursive: true, force: true });
  };
  const [nodes, [first]] = await Promise.all([
    packs.nodes(),
    planEngines({ ...config, engines: 1, engine: settings }, machineInventory),
  ]).catch((error: unknown) => {
    close();
    throw error;
  });

  return {
    objectInfo: async () => objectInfo(nodes, folders),
    savedWorkflow: async (name) => savedText(folders, name),

    async run(prompt, { workflow, times, signal, onEvent }) {
      const checked = await check(prompt, nodes, folders);
      if (checked.outputs === undefined) {
        return { status: 'invalid', files: [], texts: [], complaints: checked.complaints };
      }
      const outcome = await runInEngine({
        start: engineStarter(first, packs, (_, text) => onEvent({ type: 'log', text })),
        job: {
          id: randomUUID(),
          prompt: stringifyJson(prompt),
          extraData: stringifyJson(workflow === undefined ? {} : { extra_pnginfo: { workflow } }),
          outputs: checked.outputs,
        },
        times,
        signal,
        onEvent,
      });
      const shown = collect(outcome.outputs, folders);
      return {
        status: outcome.status,
        files: shown.saved.length > 0 ? shown.saved : keepPreviews(shown.previews, folders),
        texts: shown.texts,
        complaints: [...outcome.complaints, ...checked.complaints],
        seconds: outcome.seconds,
      };
    },

    close: async () => close(),
  };
}

async function check(
  prompt: ApiPrompt,
  nodes: NodeRegistry,
  folders: Folders,
): Promise<{ outputs?: readonly string[]; complaints: Complaint[] }> {
  const validation = await validatePrompt(prompt, { nodes, source: folders });
  return validation.ok
    ? {
        outputs: validation.outputs,
        complaints: validationComplaints(undefined, validation.nodeErrors),
      }
    : { complaints: validationComplaints(validation.error, validation.nodeErrors) };
}

/** What the nodes showed, as paths and texts. */
function collect(
  outputs: Outcome['outputs'],
  folders: Folders,
): { saved: string[]; previews: string[]; texts: string[] } {
  const saved: string[] = [];
  const previews: string[] = [];
  const texts: string[] = [];
  for (const ui of Object.values(outputs)) {
    for (const [key, items] of Object.entries(ui as Record<string, unknown>)) {
      for (const item of Array.isArray(items) ? (items as unknown[]) : []) {
        if (key === 'text' && typeof item === 'string') texts.push(item);
        const found = shownFile(item, folders);
        if (found !== undefined && isFile(found.path))
          (found.directory === 'output' ? saved : previews).push(found.path);
      }
    }
  }
  return { saved, previews, texts };
}

/** Previews live in a folder that is about to go; where nothing else was saved they are the result. */
function keepPreviews(previews: readonly string[], folders: Folders): string[] {
  return previews.map((preview, i) => {
    mkdirSync(folders.output, { recursive: true });
    for (let n = i + 1; ; n++) {
      const name = `preview_${String(n).padStart(5, '0')}${extname(basename(preview))}`;
      const path = join(folders.output, name);
      if (isFile(path)) continue;
      copyFileSync(preview, path);
      return path;
    }
  });
}

/** A workflow that the single user of the installation saved, or one of the program's forms. */
function savedText(folders: Folders, name: string): string | undefined {
  const users = createUsers(folders.user, { multiUser: false });
  try {
    return workflowStore(users.root(users.resolve(undefined)), PROGRAM_FORMS).read(name);
  } catch (error) {
    // Also a name that no saved workflow can have: a path to a file that is not there.
    if (error instanceof NoodleError) return undefined;
    throw error;
  }
}
