/** Runs an API-format workflow in this process: validation, executor, built-in nodes, real models. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { families } from '../../engine/arch/families/index.ts';
import { createCaches } from '../../engine/graph/caches.ts';
import type { NodeDefinition, NodeOutput, Prompt } from '../../engine/graph/definition.ts';
import { executePrompt } from '../../engine/graph/execute.ts';
import type { GraphMessage } from '../../engine/graph/messages.ts';
import { validatePrompt } from '../../engine/graph/validate.ts';
import type { Log } from '../../engine/log.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import { createFolders } from '../../engine/store/folders.ts';
import type { Services } from '../../engine/values/services.ts';
import { parseJson } from '../../engine/workflow/lossless-json.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { historyOutputs } from './history.ts';

/** A throw-away installation: folder name below `models` (or `input`) -> files that appear in it. */
export interface Installation {
  readonly base: string;
  add(folder: string, files: readonly string[]): void;
  remove(): Promise<void>;
}

export interface WorkflowRun {
  /** Values of every node that ran, by its id. */
  readonly values: ReadonlyMap<string, readonly unknown[]>;
  /** Files that savers wrote, in order, by node id. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

interface RunOptions {
  readonly base: string;
  readonly runtime: Runtime;
  readonly nodes?: ReadonlyMap<string, NodeDefinition>;
  readonly log?: Log;
}

/** An empty installation in a temporary folder, which goes away with the process at the latest. */
export function createInstallation(): Installation {
  const base = mkdtempSync(join(tmpdir(), 'noodle-run-'));
  process.once('exit', () => rmSync(base, { recursive: true, force: true }));
  return {
    base,
    add(folder, files) {
      const target = join(base, folder);
      mkdirSync(target, { recursive: true });
      for (const file of files) link(file, join(target, basename(file)));
    },
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

/** Class names of a workflow that no built-in node has. */
export function missingNodes(workflow: string): string[] {
  const nodes = builtinNodes();
  const classes = Object.values(parsePrompt(workflow)).map((node) => node.class_type);
  return [...new Set(classes.filter((name) => !nodes.has(name)))].sort();
}

/** Runs a workflow to its end, on the built-in nodes unless told. Throws when it is not valid or a node fails. */
export async function runWorkflow(
  workflow: string,
  { base, runtime, nodes: all = builtinNodes(), log }: RunOptions,
): Promise<WorkflowRun> {
  const values = new Map<string, readonly unknown[]>();
  const folders = createFolders({ base });
  const nodes = new Map([...all].map(([name, node]) => [name, recorded(node, values)]));
  const prompt = parsePrompt(workflow);
  const validation = await validatePrompt(prompt, { nodes, source: folders });
  if (!validation.ok) {
    const problems = Object.entries(validation.nodeErrors).flatMap(([id, { errors }]) =>
      errors.map(({ message, details }) => `node ${id}: ${message}: ${details}`),
    );
    throw new Error(`invalid workflow: ${[validation.error.message, ...problems].join('\n')}`);
  }
  const services: Services = {
    runtime,
    folders,
    families,
    ...(log && { log }),
    options: { previewMethod: 'none', previewSize: 512, disableMetadata: false },
  };
  const messages: GraphMessage[] = [];
  const end = await executePrompt(
    { promptId: 'test', prompt, outputs: validation.outputs, extraData: {} },
    {
      nodes,
      services,
      caches: createCaches({ kind: 'none' }, { sizeOf: () => 0 }),
      emit: (message) => messages.push(message),
      signal: new AbortController().signal,
      now: () => 0,
    },
  );
  if (end.status !== 'success') {
    const failure = end.messages.find(([event]) => event === 'execution_error');
    throw new Error(`workflow failed: ${failure?.[1] ?? 'unknown reason'}`);
  }
  return {
    values,
    files: savedFiles(historyOutputs(messages, end), (type) => folders.directory(type)),
  };
}

const parsePrompt = (workflow: string): Prompt => parseJson(workflow) as unknown as Prompt;

/** The node, with what it returns kept aside. */
function recorded(node: NodeDefinition, values: Map<string, readonly unknown[]>): NodeDefinition {
  return {
    ...node,
    async run(inputs, context) {
      const result = await node.run(inputs, context);
      const returned: unknown = (result as NodeOutput).result ?? result;
      if (Array.isArray(returned)) values.set(context.nodeId, returned as unknown[]);
      return result;
    },
  };
}

interface Saved {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: 'output' | 'temp';
}

function savedFiles(
  outputs: string,
  directory: (type: 'output' | 'temp') => string,
): Map<string, readonly string[]> {
  const shown = JSON.parse(outputs) as Record<string, { images?: readonly Saved[] }>;
  return new Map(
    Object.entries(shown).map(([id, { images = [] }]) => [
      id,
      images.map(({ filename, subfolder, type }) => join(directory(type), subfolder, filename)),
    ]),
  );
}

/** A hard link where the file system allows it, else a symbolic one. */
function link(file: string, target: string): void {
  try {
    linkSync(file, target);
  } catch {
    symlinkSync(file, target);
  }
}
