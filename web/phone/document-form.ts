import { computed, effect, signal } from '@preact/signals';
import { fillForm } from '../../engine/workflow/form/set-values.ts';
import { makeForm } from '../../engine/workflow/form/make-form.ts';
import { type Json, toPlain } from '../../engine/workflow/lossless-json.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';
import { createFormModel, type FormModel } from '../forms/model.ts';
import type { Value } from '../forms/api.ts';
import type { PageParts } from '../panels/parts.ts';

export type DocumentForm = ReturnType<typeof createDocumentForm>;

/** Milliseconds of rest after which what was typed goes into the workflow. */
const REST = 500;

/** The form of the workflow on the stage: what is filled in becomes part of the workflow. */
export function createDocumentForm({ editor, objectInfo, state }: PageParts) {
  const { documents, graph } = editor;
  // The page knows the classes by wider types than the conversions ask for.
  const info = objectInfo as unknown as ObjectInfo;
  const model = signal<FormModel>(read());
  let timer: ReturnType<typeof setTimeout> | undefined;
  let written = model.value.values.value;

  function read(): FormModel {
    const made = createFormModel(makeForm(editor.toWorkflow(), info));
    for (const { key, node_id: id, kind } of made.form.fields) {
      if (kind !== 'seed') continue;
      const control = graph
        .getNodeById(Number(id))
        ?.widgets?.find(({ name }) => name === 'control_after_generate');
      made.drawSeed(key, control?.value !== 'fixed');
    }
    return made;
  }

  /** Puts what was filled in into the workflow, as one step of undo. */
  const write = (): void => {
    clearTimeout(timer);
    const { form, values } = model.value;
    const changed = Object.entries(values.value).filter(
      (entry): entry is [string, Exclude<Value, null>] =>
        entry[1] !== null && entry[1] !== written[entry[0]],
    );
    written = values.value;
    if (changed.length === 0) return;
    documents.rewrite((workflow) => {
      const filled = fillForm(workflow as { [key: string]: Json }, form, new Map(changed), info);
      return toPlain(filled.file) as Record<string, unknown>;
    });
  };
  const follow = (): void => {
    clearTimeout(timer);
    const next = read();
    written = next.values.peek();
    model.value = next;
  };
  // Whenever another workflow stands on the stage.
  state.document.subscribe(follow);
  effect(() => {
    if (model.value.values.value === written) return;
    clearTimeout(timer);
    timer = setTimeout(write, REST);
  });
  const shown = computed(() => {
    const { fields, outputs } = model.value.form;
    const isMain = ({
      hidden,
      advanced,
      category,
      kind,
      role,
    }: (typeof fields)[number]): boolean =>
      model.value.form.source === 'app'
        ? !hidden
        : !advanced &&
          (['prompt', 'media', 'size'].includes(category) ||
            kind === 'seed' ||
            kind === 'model' ||
            role === 'denoise');
    return {
      main: fields.filter(isMain),
      more: fields.filter((field) => !isMain(field)),
      outputs: outputs.filter((output) => output.shown).map(({ node_id: id }) => id),
    };
  });

  return {
    model,
    shown,
    write,
    /** Reads the workflow again, after something else changed it. */
    follow,
    /** Draws the seeds of the next run into the workflow. */
    prepare(): void {
      model.value.next();
      write();
    },
  };
}
