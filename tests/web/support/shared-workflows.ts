import { existsSync, readdirSync } from 'node:fs';

/** The collection of real users' workflow files, where it lies beside this folder's checkout. */
export const sharedWorkflows = new URL('../../../../shared/workflows/', import.meta.url);

/** Names of the files in a folder that the editor saved; none where there is no such folder. */
export const uiFiles = (folder: URL): string[] =>
  existsSync(folder)
    ? readdirSync(folder).filter(
        (name) => name.endsWith('.json') && !name.endsWith('.api.json') && name !== 'INDEX.json',
      )
    : [];
