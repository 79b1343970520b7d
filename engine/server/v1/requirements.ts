/** What a workflow needs, against what there is. */
import { statfs } from 'node:fs/promises';
import type { Folders } from '../../store/folders.ts';
import { isApiFormat } from '../../workflow/forms.ts';
import { missingClasses, neededModels } from '../../workflow/form/requirements.ts';
import type { Json } from '../../workflow/lossless-json.ts';
import { workflowToPrompt } from '../../workflow/to-prompt.ts';
import type { ObjectInfo } from '../../workflow/types.ts';

/** The requirements of an editor workflow or prompt; throws TypeError when it is neither. */
export async function requirementsOf(file: Json, info: ObjectInfo, folders: Folders) {
  const prompt = isApiFormat(file) ? file : workflowToPrompt(file, info).prompt;
  const missing = missingClasses(prompt, (type) => Object.hasOwn(info, type));
  const models = neededModels(prompt, file).map(({ folder, name, url, hash }) => ({
    folder,
    name,
    installed: hasModel(folders, folder, name),
    url,
    hash,
  }));
  return {
    ready: missing.length === 0 && models.every(({ installed }) => installed),
    nodes_missing: missing,
    models,
    disk_free: await diskFree(folders),
  };
}

/** Workflows made on Windows name files with backslashes. */
function hasModel(folders: Folders, folder: string, name: string): boolean {
  if (!folders.modelFolders().includes(folder)) return false;
  return folders.modelFiles(folder).includes(name.replaceAll('\\', '/'));
}

async function diskFree(folders: Folders): Promise<number | null> {
  const path = folders.modelPaths('checkpoints')?.[0];
  const disk = path === undefined ? undefined : await statfs(path).catch(() => undefined);
  return disk === undefined ? null : disk.bavail * disk.bsize;
}
