/** The choice of a form's author into the workflow's file. */
import type { Json } from '../lossless-json.ts';
import { readWorkflow } from '../read-graph.ts';
import { workflowToPrompt } from '../to-prompt.ts';
import type { ObjectInfo } from '../types.ts';
import { draftFields, keyResolver } from './make-form.ts';
import { type ChosenForm, type FieldSettings, writeSettings } from './settings.ts';

/** A choice as it comes from outside: fields by key. */
export interface GivenForm extends Omit<ChosenForm, 'fields'> {
  readonly fields: readonly (FieldSettings & { readonly key: string })[] | null;
}

/** An editor workflow with another choice; `unknown` are keys that it has no field for. */
export function chosenForm(
  file: { [key: string]: Json },
  objectInfo: ObjectInfo,
  given: GivenForm,
): { readonly changed: { [key: string]: Json }; readonly unknown: readonly string[] } {
  const workflow = readWorkflow(file);
  const { prompt } = workflowToPrompt(file, objectInfo, { keepTexts: true });
  const drafts = draftFields(prompt, workflow, objectInfo);
  const byKey = new Map(drafts.map((draft) => [draft.key, draft]));
  const fields = given.fields?.flatMap((settings) => {
    const draft = byKey.get(settings.key);
    return draft === undefined ? [] : [{ ...settings, node_id: draft.node_id, input: draft.input }];
  });
  const unknown = (given.fields ?? []).map(({ key }) => key).filter((key) => !byKey.has(key));
  const chosen: ChosenForm = { ...given, fields: fields ?? null };
  return { changed: writeSettings(file, chosen, keyResolver(drafts, workflow)), unknown };
}
