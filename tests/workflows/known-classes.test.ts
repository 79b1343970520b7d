/**
 * How many of people's workflows open without an unknown class, with the community pack: after muted
 * and bypassed nodes, subgraphs and what lives only in the editor are gone. Prints both shares and
 * which classes are missing most.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { nodes as community } from '../../custom_nodes/community/index.ts';
import type { Prompt } from '../../engine/graph/definition.ts';
import { objectInfo } from '../../engine/graph/object-info.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { parseJson } from '../../engine/workflow/lossless-json.ts';
import { workflowToPrompt } from '../../engine/workflow/to-prompt.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { createInstallation } from '../support/run-workflow.ts';

const shared = new URL('../../../shared/workflows/', import.meta.url);

interface Entry {
  readonly file: string;
  readonly family: string;
  readonly format: 'UI' | 'API';
}

/** The least share of each form that opened when this was last looked at. */
const FLOOR = { UI: 0.55, API: 0.79 } as const;

describe.skipIf(!existsSync(shared))('the collection of workflows', () => {
  const index = existsSync(shared)
    ? (JSON.parse(readFileSync(new URL('INDEX.json', shared), 'utf8')) as { workflows: Entry[] })
    : { workflows: [] };
  const nodes = new Map([...builtinNodes(), ...community.map((node) => [node.name, node] as const)]);
  const installation = createInstallation();
  const info = objectInfo(nodes, createFolders({ base: installation.base })) as ObjectInfo;
  const lines: string[] = [];

  afterAll(async () => {
    await installation.remove();
    // eslint-disable-next-line no-console -- the shares are what this test is for
    console.log(lines.join('\n'));
  });

  function missingOf({ file, format }: Entry): string[] {
    const json = parseJson(readFileSync(new URL(file, shared), 'utf8'));
    const body = json as { readonly prompt?: unknown };
    const sent = body.prompt ?? json;
    const prompt = (format === 'UI' ? workflowToPrompt(json, info).prompt : sent) as Prompt;
    // What others' tools keep beside the nodes (`_meta`, `_bridge`) has no class.
    const classes = Object.values(prompt).map((node) => node.class_type as string | undefined);
    return [...new Set(classes)].filter((name) => name !== undefined && !nodes.has(name)) as string[];
  }

  /** The editor's own test files (`fmt`) are nobody's workflows. */
  const ofForm = (form: Entry['format']): Entry[] =>
    index.workflows.filter(({ family, format }) => family !== 'fmt' && format === form);

  test.each(['UI', 'API'] as const)('%s: as many open as before, or more', (form) => {
    const missing = ofForm(form).map(missingOf);
    const open = missing.filter((names) => names.length === 0).length;
    const wanted = new Map<string, { workflows: number; alone: number }>();
    for (const names of missing) {
      for (const name of names) {
        const { workflows, alone } = wanted.get(name) ?? { workflows: 0, alone: 0 };
        wanted.set(name, { workflows: workflows + 1, alone: alone + (names.length === 1 ? 1 : 0) });
      }
    }
    const most = [...wanted].sort(([, a], [, b]) => b.alone - a.alone || b.workflows - a.workflows);
    const share = open / missing.length;
    lines.push(
      `${form}: ${open} of ${missing.length} workflows have only known classes (${(share * 100).toFixed(1)} %)`,
      ...most
        .slice(0, 40)
        .map(([name, n]) => `  ${name}: missing in ${n.workflows}, alone in ${n.alone}`),
    );
    expect(share).toBeGreaterThanOrEqual(FLOOR[form]);
  });
});
