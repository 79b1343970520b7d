/**
 * People's workflows of some families from end to end, with the community pack: each is valid but for the files
 * it names, and makes plausible pictures of tiny models that stand in for them. As a rule those few run
 * that have every class, and every kind of stand-in, between them; with ALL_WORKFLOWS=1 all do (minutes).
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodes as community } from '../../custom_nodes/community/index.ts';
import type { NDArray } from '../../engine/array/nd.ts';
import type { Prompt } from '../../engine/graph/definition.ts';
import { isLink } from '../../engine/graph/link.ts';
import { objectInfo } from '../../engine/graph/object-info.ts';
import { validatePrompt } from '../../engine/graph/validate.ts';
import type { Log } from '../../engine/log.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { parseJson, stringifyJson } from '../../engine/workflow/lossless-json.ts';
import { workflowToPrompt } from '../../engine/workflow/to-prompt.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { removeUnpacked } from '../golden/open-case.ts';
import { type WorkflowRun, createInstallation, runWorkflow } from '../support/run-workflow.ts';
import {
  type StandIns,
  complete,
  filesOf,
  localNames,
  makeSmall,
  placeFiles,
  rowOf,
} from './stand-ins.ts';

const shared = new URL('../../../shared/workflows/', import.meta.url);

/** What the collection knows of a workflow. */
interface Entry {
  readonly file: string;
  readonly family: string;
  readonly format: 'UI' | 'API';
  /** What ComfyUI 0.3.64 without files said to the prompt. */
  readonly server: {
    readonly result: string;
    readonly missing_files?: readonly string[];
    readonly other_errors?: readonly { node: string; type: string; input: string }[];
  };
}

interface Workflow extends Entry {
  readonly prompt: Prompt;
  /** Classes that are not there. */
  readonly missing: readonly string[];
}

const nodes = new Map([...builtinNodes(), ...community.map((node) => [node.name, node] as const)]);

function read({ file, ...entry }: Entry, info: ObjectInfo): Workflow {
  const json = parseJson(readFileSync(new URL(file, shared), 'utf8'));
  // what some programs send has the prompt inside
  const sent = (json as { readonly prompt?: unknown }).prompt ?? json;
  const prompt = (entry.format === 'UI' ? workflowToPrompt(json, info).prompt : sent) as Prompt;
  // what others' tools keep beside the nodes (`_meta`, `_bridge`) has no class
  for (const [id, { class_type }] of Object.entries(prompt)) {
    if ((class_type as string | undefined) === undefined) delete prompt[id];
  }
  return { ...entry, file, prompt, missing: classesOf(prompt).filter((name) => !nodes.has(name)) };
}

const ofPrompt = (file: string, prompt: Prompt): Workflow => ({
  file,
  family: '',
  format: 'API',
  server: { result: 'missing-files-only' },
  prompt,
  missing: [],
});

const classesOf = (prompt: Prompt): string[] => [
  ...new Set(Object.values(prompt).map(({ class_type }) => class_type)),
];

const copy = (prompt: Prompt): Prompt => parseJson(stringifyJson(prompt)) as unknown as Prompt;

/** SwarmUI's own templates, and workflows for Krita: what those programs fill in before they are prompts. */
const isTemplate = (prompt: Prompt): boolean =>
  /%%_COMFYFIXME_|"ETN_Krita/.test(stringifyJson(prompt));

/** What is run, as text: the same workflow is in the collection more than once. */
function small(prompt: Prompt): string {
  const result = copy(prompt);
  complete(result, nodes);
  localNames(result, nodes);
  makeSmall(result, nodes);
  for (const node of Object.values(result)) delete node._meta;
  return stringifyJson(result);
}

/** Few of them that have every feature between them: always the one with the most new ones. */
function covering<T>(workflows: readonly T[], features: (workflow: T) => readonly string[]): T[] {
  const seen = new Set<string>();
  const fresh = (workflow: T): string[] => features(workflow).filter((name) => !seen.has(name));
  const chosen: T[] = [];
  for (;;) {
    const [best] = [...workflows].sort((a, b) => fresh(b).length - fresh(a).length);
    if (best === undefined || fresh(best).length === 0) return chosen;
    for (const name of fresh(best)) seen.add(name);
    chosen.push(best);
  }
}

/** The pictures that output nodes got: [batch, height, width, channels], 0 to 1. */
function pictures(workflow: string, run: WorkflowRun): NDArray[] {
  const prompt = JSON.parse(workflow) as Prompt;
  return Object.values(prompt).flatMap(({ class_type, inputs }) => {
    const { images } = inputs;
    if (nodes.get(class_type)?.outputNode !== true || !isLink(images)) return [];
    return [run.values.get(images[0])?.[Number(images[1])] as NDArray];
  });
}

/** Mean and standard deviation. */
function moments(data: Float32Array): { mean: number; deviation: number } {
  const mean = data.reduce((sum, v) => sum + v, 0) / data.length;
  const square = data.reduce((sum, v) => sum + (v - mean) ** 2, 0) / data.length;
  return { mean, deviation: Math.sqrt(square) };
}

interface Collection {
  /** Families of the collection's index. */
  readonly families: readonly string[];
  readonly standIns: StandIns;
  /** More of them, by name, in API format. */
  readonly more?: Readonly<Record<string, Prompt>>;
  /** What else an installation has, put below its folder. */
  readonly prepare?: (base: string) => void;
}

/** Tests of the collection's workflows of these families; skipped where the collection is missing. */
export function testCollection(
  title: string,
  { families, standIns, more = {}, prepare }: Collection,
): void {
  describe.skipIf(!existsSync(shared))(title, () => {
    const index = existsSync(shared)
      ? (JSON.parse(readFileSync(new URL('INDEX.json', shared), 'utf8')) as { workflows: Entry[] })
      : { workflows: [] };
    const empty = createInstallation();
    const installation = createInstallation();
    const info = objectInfo(nodes, createFolders({ base: empty.base })) as ObjectInfo;
    const all = index.workflows
      .filter(({ family }) => families.includes(family))
      .map((entry) => read(entry, info))
      .concat(Object.entries(more).map(([name, prompt]) => ofPrompt(name, prompt)));
    const supported = all.filter((w) => w.missing.length === 0 && !isTemplate(w.prompt));
    const texts = new Map(supported.map((w) => [small(w.prompt), w]));
    const different = [...texts].map(([text, { file }]) => {
      const prompt = JSON.parse(text) as Prompt;
      const files = filesOf(prompt, nodes);
      const rows = files.map((named) => ({ named, row: rowOf(standIns, named) }));
      const absent = rows.flatMap(({ named, row }) =>
        typeof row?.make === 'string' ? [`${named.folder}/${named.name}: ${row.make}`] : [],
      );
      const features = [...classesOf(prompt), ...rows.map(({ row }) => row?.id ?? '')];
      const shows = classesOf(prompt).some((name) => nodes.get(name)?.outputNode === true);
      if (!shows) absent.push('it has no outputs');
      return { file, text, files, absent, features };
    });
    const possible = different.filter(({ absent }) => absent.length === 0);
    const runs =
      process.env.ALL_WORKFLOWS === '1' ? possible : covering(possible, (w) => w.features);
    const valid = new Set<string>();
    const ran = new Set<string>();
    const runtime = createRuntime({ threads: 2 });

    beforeAll(() => prepare?.(installation.base));
    afterAll(async () => {
      await runtime.unloadAll();
      await removeUnpacked();
      await Promise.all([empty.remove(), installation.remove()]);
      const missing = all.filter((w) => w.missing.length > 0);
      const lines = [
        `${all.length} workflows: ${valid.size} of ${supported.length} with known classes are valid but for files`,
        `${ran.size} of ${runs.length} ran, of ${different.length} different ones`,
        ...missing.map((w) => `not run, ${w.file}: ${w.missing.join(', ')}`),
        ...all.filter((w) => isTemplate(w.prompt)).map((w) => `not run, ${w.file}: a template`),
        ...different.flatMap((w) => w.absent.map((reason) => `not run, ${w.file}: ${reason}`)),
      ];
      // eslint-disable-next-line no-console -- the shares are what this test is for
      console.log(lines.join('\n'));
    });

    test.each(supported.map((w) => [w.file, w] as const))(
      '%s: only files are missing',
      async (file, { prompt, server }) => {
        const source = createFolders({ base: empty.base });
        const result = await validatePrompt(copy(prompt), { nodes, source });
        const named = new Set(filesOf(prompt, nodes).map((f) => `${f.node} ${f.input}`));
        const others = Object.entries(result.nodeErrors).flatMap(([node, { errors }]) =>
          errors.flatMap(({ type, extra_info }) => {
            const input = String(extra_info?.input_name);
            const files = ['value_not_in_list', 'custom_validation_failed'];
            if (files.includes(type) && named.has(`${node} ${input}`)) return [];
            return [`${node} ${input} ${type}`];
          }),
        );
        const known = (server.other_errors ?? []).map((e) => `${e.node} ${e.input} ${e.type}`);
        expect(others.sort()).toEqual(known.sort());
        valid.add(file);
      },
    );

    test.each(runs.map((w) => [w.file, w] as const))(
      '%s: makes pictures',
      async (file, { text, files }) => {
        const { base } = installation;
        await placeFiles(base, files, standIns);
        const warnings: string[] = [];
        const log: Log = (level, line) => void (level === 'WARNING' && warnings.push(line));
        const run = await runWorkflow(text, { base, runtime, nodes, log });
        expect(warnings.join('\n')).not.toMatch(/nothing in this file fits|it holds no LoRA/);
        const made = pictures(text, run);
        expect(made.length).toBeGreaterThan(0);
        for (const picture of made) {
          const { mean, deviation } = moments(picture.data);
          expect(mean).toBeGreaterThan(0.02); // not black (and no NaN)
          expect(deviation).toBeGreaterThan(0.005); // not constant
        }
        ran.add(file);
      },
      120_000,
    );
  });
}
