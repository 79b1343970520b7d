import { h } from 'preact';
import { chosenForm } from '../../engine/workflow/form/choose-fields.ts';
import { makeForm } from '../../engine/workflow/form/make-form.ts';
import { type Json, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { closeDialog, openDialog, toast } from '../state.ts';
import type { FormChoice } from './api.ts';
import { Builder } from './builder.tsx';
import '../style/forms.css';
import { defaultsOf } from './values.ts';

/** Opens the builder over the graph: the choice becomes part of the open workflow, as a step of undo. */
export function openFormBuilder({ editor, objectInfo, state }: PageParts): void {
  // The page knows the classes by wider types than the conversions ask for.
  const info = objectInfo as unknown as ObjectInfo;
  const form = makeForm(editor.toWorkflow(), info);
  const save = (choice: FormChoice): Promise<void> => {
    editor.documents.rewrite((workflow) => {
      const { changed } = chosenForm(workflow as { [key: string]: Json }, info, {
        ...choice,
        fields: choice.fields?.map(({ default: _, ...field }) => field) ?? null,
      });
      return toPlain(changed) as Record<string, unknown>;
    });
    toast(state, t('The form is part of the workflow: save it to keep it'));
    return Promise.resolve();
  };
  const id: number = openDialog(state, {
    title: 'Form of the workflow',
    className: 'form-builder',
    body: () =>
      h(Builder, { form, values: defaultsOf(form), save, close: () => closeDialog(state, id) }),
  });
}
