import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { toast } from '../state.ts';
import { messageOf } from '../text.ts';

/** Asks the server again what its nodes take: new model files, pictures and packs appear in all fields. */
export async function refreshChoices({
  editor,
  server,
  state,
}: Pick<PageParts, 'editor' | 'server' | 'state'>): Promise<void> {
  try {
    editor.describeAnew(await server.objectInfo());
    toast(state, t('All choices are up to date'));
  } catch (error) {
    toast(state, messageOf(error), 'error');
  }
}
