/** Forms of real users' workflows: what is filled in stands in the file afterwards. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Form, FormField } from '../../../../engine/workflow/form/form.ts';
import { makeForm } from '../../../../engine/workflow/form/make-form.ts';
import { numberOf } from '../../../../engine/workflow/form/settings.ts';
import { fillForm } from '../../../../engine/workflow/form/set-values.ts';
import { formsOf } from '../../../../engine/workflow/forms.ts';
import { type Json, parseJson, stringifyJson } from '../../../../engine/workflow/lossless-json.ts';
import { workflowToPrompt } from '../../../../engine/workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../../../../engine/workflow/types.ts';

const shared = join(import.meta.dirname, '../../../../../shared');
const folder = join(shared, 'workflows');
const infoFile = join(shared, 'spec/object_info.json');
const present = existsSync(folder) && existsSync(infoFile);

/**
 * Values that have no place of their own in the file: nodes two subgraphs deep, subgraphs that stand
 * more than once, and a widget that its group's list is too old for. They run all the same.
 */
const WITHOUT_PLACE: Readonly<Record<string, number>> = {
  'fmt-fe_subgraphs_nested_pack_promoted_values.json': 5,
  'fmt-fe_subgraphs_nested_subgraph_legacy_prefixed_proxy_widgets.json': 4,
  'fmt-fe_subgraphs_nested_subgraph_stale_proxy_widgets.json': 2,
  'hidream-ex_hidream_e1_example.json': 1,
  'misc-cli_subgraph_template_ui.json': 12,
};

/** Another value that the field may have. */
function another(field: FormField): Json {
  switch (field.kind) {
    case 'int':
    case 'seed':
      return (numberOf(field.default) ?? 0) > 2 ** 52 ? 7 : (numberOf(field.default) ?? 0) + 1;
    case 'float':
      return (numberOf(field.default) ?? 0) + 0.25;
    case 'bool':
      return field.default !== true;
    case 'select':
    case 'model':
      return field.options?.find((choice) => choice !== field.default) ?? field.default;
    default:
      return `other ${field.name}`;
  }
}

const valueAt = (prompt: ApiPrompt, key: string): string => {
  const id = Object.keys(prompt).find((node) => key.startsWith(`${node}.`));
  const value = id === undefined ? undefined : prompt[id].inputs[key.slice(id.length + 1)];
  return value === undefined ? 'nothing' : stringifyJson(value);
};

describe.skipIf(!present)('forms of real workflows', () => {
  it('have names of their own, and what is filled in stands in the file', () => {
    const info = JSON.parse(readFileSync(infoFile, 'utf8')) as ObjectInfo;
    const lost: Record<string, number> = {};
    const kinds = new Set<string>();
    let files = 0;
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.json'))) {
      const text = readFileSync(join(folder, name), 'utf8');
      const workflow = formsOf(parseJson(text)).workflow as { [key: string]: Json } | undefined;
      if (workflow === undefined) continue;
      files++;
      const form = makeForm(workflow, info);
      expectUnique(form, name);
      for (const { kind } of form.fields) kinds.add(kind);
      const values = new Map(form.fields.map((field) => [field.key, another(field)]));
      const filled = fillForm(workflow, form, values, info, { keepTexts: true });
      const again = workflowToPrompt(filled.file, info, { keepTexts: true }).prompt;
      const missed = form.fields
        .flatMap(({ targets }) => targets)
        .filter((key) => valueAt(filled.prompt, key) !== valueAt(again, key));
      if (missed.length > 0) lost[name] = missed.length;
    }
    expect(lost).toEqual(WITHOUT_PLACE);
    expect(files).toBeGreaterThan(250);
    expect([...kinds].sort()).toEqual([
      ...['audio', 'bool', 'float', 'image', 'int', 'longtext', 'mask', 'model'],
      ...['seed', 'select', 'text', 'video'],
    ]);
  }, 60_000);
});

function expectUnique({ fields }: Form, file: string): void {
  for (const member of ['key', 'name'] as const) {
    const all = fields.map((field) => field[member]);
    expect(new Set(all).size, `${file}: ${member}`).toBe(all.length);
  }
}
