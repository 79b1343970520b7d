import { formsOfTexts } from '../../engine/workflow/forms.ts';

/**
 * The forms of a workflow that the bytes of a picture or a video carry. What reads them is loaded when
 * it is first wanted.
 */
export async function carriedWorkflow(bytes: Uint8Array): Promise<ReturnType<typeof formsOfTexts>> {
  const { readImageWorkflow } = await import('../../engine/workflow/png-text.ts');
  return formsOfTexts(await readImageWorkflow(bytes));
}
