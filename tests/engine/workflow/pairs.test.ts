/**
 * Real users' workflows saved in both formats. The prompts were posted by older front ends to older
 * servers, so a few kinds of difference are expected, and nothing else.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../../../engine/workflow/types.ts';

const shared = join(import.meta.dirname, '../../../../shared');
const folder = join(shared, 'workflows');
const infoFile = join(shared, 'spec/object_info.json');
const present = existsSync(folder) && existsSync(infoFile);

const load = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const pairs = present
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.api.json'))
      .map((file) => file.slice(0, -'.api.json'.length))
      .filter((stem) => existsSync(join(folder, `${stem}.json`)))
  : [];

/** Grouped after the prompt was saved: these inner nodes are the old ones. */
const REGROUPED: Record<string, Record<string, string>> = {
  'cascade-ex_stable_cascade_inpaint_controlnet': {
    '68:0': '62',
    '68:1': '66',
    '68:2': '64',
    '68:3': '61',
    '68:5': '60',
  },
};

function rename(prompt: ApiPrompt, ids: Record<string, string> | undefined): ApiPrompt {
  let text = JSON.stringify(prompt);
  for (const [from, to] of Object.entries(ids ?? {}))
    text = text.replaceAll(`"${from}"`, `"${to}"`);
  return JSON.parse(text) as ApiPrompt;
}

/** Takes out what older front ends sent, and what newer classes have. */
function normalise(posted: ApiPrompt, ours: ApiPrompt, info: ObjectInfo): void {
  for (const [id, node] of Object.entries(posted)) {
    const spec = {
      ...info[node.class_type].input?.required,
      ...info[node.class_type].input?.optional,
    };
    // The server's own addition, in prompts that were read from pictures.
    delete (node as { is_changed?: unknown }).is_changed;
    // Button values of upload widgets, no longer sent.
    delete node.inputs['choose file to upload'];
    if (!('upload' in spec)) delete node.inputs.upload;
    const own = ours[id] as ApiPrompt[string] | undefined;
    for (const [name, value] of Object.entries(own?.inputs ?? {})) {
      // Widgets that the class has got since: we send their default.
      const fallback = spec[name]?.[1]?.default ?? (spec[name]?.[0] as unknown[])[0];
      if (!(name in node.inputs) && value === fallback) delete own?.inputs[name];
    }
    // Prompts of old servers have no titles; one class has a new display name.
    if (node._meta === undefined || node.class_type === 'ImageScaleToTotalPixels') {
      node._meta = own?._meta;
    }
  }
}

describe.skipIf(!present)('workflows saved in both formats', () => {
  const info = present ? (load(infoFile) as ObjectInfo) : {};

  it.each(pairs)('%s', (stem) => {
    const posted = load(join(folder, `${stem}.api.json`)) as ApiPrompt;
    const { prompt } = workflowToPrompt(load(join(folder, `${stem}.json`)), info);
    const ours = rename(prompt, REGROUPED[stem]);
    normalise(posted, ours, info);
    expect(ours).toEqual(posted);
  });

  it('converts every workflow of the collection', () => {
    const files = readdirSync(folder).filter(
      (file) => file.endsWith('.json') && !file.endsWith('.api.json') && file !== 'INDEX.json',
    );
    for (const file of files) {
      const { prompt } = workflowToPrompt(load(join(folder, file)), info);
      for (const node of Object.values(prompt)) expect(typeof node.class_type, file).toBe('string');
    }
  });
});
