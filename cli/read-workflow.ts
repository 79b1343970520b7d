/** A workflow from a file: API prompt, editor workflow, or a picture that holds one of them. */
import { readFileSync } from 'node:fs';
import { NoodleError } from '../engine/errors.ts';
import { formsOf, formsOfTexts } from '../engine/workflow/forms.ts';
import type { Forms } from '../engine/workflow/forms.ts';
import { parseJson } from '../engine/workflow/lossless-json.ts';
import type { Json } from '../engine/workflow/lossless-json.ts';
import { readImageWorkflow } from '../engine/workflow/png-text.ts';
import { workflowToPrompt } from '../engine/workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../engine/workflow/types.ts';

export interface ReadWorkflow {
  readonly prompt: ApiPrompt;
  /** The editor's form, where the file has it: saved into results. */
  readonly workflow?: Json;
  readonly warnings: readonly string[];
}

/**
 * Reads and converts; `objectInfo` is asked for only where an editor workflow has to be converted.
 * Throws FILE_NOT_FOUND, or BAD_INPUT saying what the file is instead.
 */
export async function readWorkflowFile(
  file: string,
  objectInfo: () => Promise<ObjectInfo>,
): Promise<ReadWorkflow> {
  const bytes = readBytes(file);
  if (!isJson(bytes)) return fromPicture(file, bytes, objectInfo);
  return readWorkflowText(file, bytes.toString('utf8'), objectInfo);
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'workflow', name: file }, { cause });
  }
}

/** JSON starts with a brace, perhaps after a byte order mark and spaces. */
const isJson = (bytes: Buffer): boolean =>
  /^\ufeff?\s*[{[]/.test(bytes.subarray(0, 1000).toString('utf8'));

async function fromPicture(
  file: string,
  bytes: Buffer,
  objectInfo: () => Promise<ObjectInfo>,
): Promise<ReadWorkflow> {
  const { unusable, ...forms } = formsOfTexts(await readImageWorkflow(bytes));
  const read = await fromForms(forms, objectInfo);
  if (read === undefined) {
    throw new NoodleError('BAD_INPUT', {
      subject: file,
      expected: 'a workflow (JSON, or a PNG or WebP that holds one)',
      got: unusable.length > 0 ? unusable.join('; ') : 'a file without one',
    });
  }
  // A picture without a usable drawing still says how it was made; the other way round it is told.
  if (forms.prompt !== undefined) return read;
  return { ...read, warnings: [...unusable, ...read.warnings] };
}

/** Reads and converts a JSON text; `file` is what errors call it. Throws BAD_INPUT. */
export async function readWorkflowText(
  file: string,
  text: string,
  objectInfo: () => Promise<ObjectInfo>,
): Promise<ReadWorkflow> {
  const read = await fromForms(formsOf(parse(file, text)), objectInfo);
  if (read !== undefined) return read;
  throw new NoodleError('BAD_INPUT', {
    subject: file,
    expected: 'a ComfyUI workflow or prompt',
    got: 'other JSON',
  });
}

/** What was executed is the better witness of how a result was made; undefined when there is no form. */
async function fromForms(
  { prompt, workflow }: Forms,
  objectInfo: () => Promise<ObjectInfo>,
): Promise<ReadWorkflow | undefined> {
  if (prompt !== undefined) {
    for (const node of Object.values(prompt)) node.inputs ??= {};
    return { prompt, workflow, warnings: [] };
  }
  if (workflow === undefined) return undefined;
  return { ...workflowToPrompt(workflow, await objectInfo()), workflow };
}

function parse(file: string, text: string): Json {
  try {
    return parseJson(text.replace(/^\ufeff/, ''));
  } catch (cause) {
    throw new NoodleError(
      'BAD_INPUT',
      { subject: file, expected: 'JSON', got: (cause as Error).message },
      { cause },
    );
  }
}
