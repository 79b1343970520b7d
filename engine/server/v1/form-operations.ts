/** The operations that a user's saved workflows are. */
import type { Api } from './api.ts';
import { formOperation } from './form-openapi.ts';
import type { Call, Route } from './route.ts';
import { libraryOf, openWorkflow } from './saved-workflows.ts';

/** A document with more operations than this is of use to nobody; each has one of its own too. */
const MOST = 100;

/** Rows for the workflows that the user saved, the newest first; files that are none are left out. */
export async function formOperations(
  call: Pick<Call<unknown, unknown, unknown>, 'owner'>,
  api: Api,
): Promise<readonly Route[]> {
  if (api.users.multiUser && call.owner === undefined) return [];
  const library = libraryOf(call, api);
  const entries = library
    .list()
    .filter(({ builtin }) => !builtin)
    .sort((a, b) => b.modified - a.modified)
    .slice(0, MOST);
  const rows: Route[] = [];
  for (const { id } of entries) {
    try {
      rows.push(formOperation(id, (await openWorkflow(library, id, api)).form));
    } catch (error) {
      api.log('DEBUG', `openapi: ${id}: ${(error as Error).message}`);
    }
  }
  return rows;
}
