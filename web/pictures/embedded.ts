import type { EmbeddedWorkflow } from '../../engine/workflow/png-text.ts';

/** What a picture file carries of its workflow; the reader comes when it is first needed. */
export async function embeddedIn(file: Blob): Promise<EmbeddedWorkflow> {
  const { readImageWorkflow } = await import('../../engine/workflow/png-text.ts');
  return readImageWorkflow(new Uint8Array(await file.arrayBuffer()));
}
