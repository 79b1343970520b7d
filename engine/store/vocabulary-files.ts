/** Finding the files of a tokenizer that a text encoder's own file does not carry. */
import { dirname, join } from 'node:path';
import { isFile, resolveInside } from './paths.ts';

/**
 * The file in the first of `folders` that has it. For each path of the text encoders these lie in it, in
 * `tokenizers` beside it, or, where the models are those of a ComfyUI installation, in its program.
 */
export function findVocabulary(
  paths: readonly string[],
  folders: readonly string[],
  file: string,
): string | undefined {
  for (const path of paths) {
    const models = dirname(path);
    const comfy = join(dirname(models), 'comfy', 'text_encoders');
    for (const root of [path, join(models, 'tokenizers'), comfy]) {
      for (const folder of folders) {
        const found = pathInside(root, join(folder, file));
        if (found !== undefined && isFile(found)) return found;
      }
    }
  }
  return undefined;
}

function pathInside(root: string, name: string): string | undefined {
  try {
    return resolveInside(root, name, { links: 'follow' });
  } catch {
    return undefined;
  }
}
