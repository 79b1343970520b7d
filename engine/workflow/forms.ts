/** The forms a workflow has in files: an API prompt, an editor workflow, or both inside something. */
import { type Json, parseJson } from './lossless-json.ts';
import type { EmbeddedWorkflow } from './png-text.ts';
import type { ApiPrompt } from './types.ts';

/** What a file holds; each form is checked on its own. */
export interface Forms {
  readonly prompt?: ApiPrompt;
  readonly workflow?: Json;
}

/** Forms found in a picture's texts, and in words what is wrong with the texts that hold none. */
export interface TextForms extends Forms {
  readonly unusable: readonly string[];
}

/** Whether a parsed JSON value is an API prompt: nodes by id, each with a class and inputs. */
export function isApiFormat(value: unknown): value is ApiPrompt {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const nodes = Object.values(value);
  return (
    nodes.length > 0 &&
    nodes.every(
      (node: unknown) =>
        typeof node === 'object' &&
        node !== null &&
        'class_type' in node &&
        typeof node.class_type === 'string' &&
        (!('inputs' in node) || (typeof node.inputs === 'object' && node.inputs !== null)),
    )
  );
}

/** Whether a parsed JSON value is an editor workflow (schema 0.4 or 1). */
export function isUiFormat(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'nodes' in value && Array.isArray(value.nodes)
  );
}

/**
 * The forms in a JSON value: itself, or what a body posted to /prompt holds (`prompt`, and `workflow`
 * beside it or in `extra_data.extra_pnginfo`). Empty when there is none.
 */
export function formsOf(value: Json): Forms {
  if (isApiFormat(value)) return { prompt: value };
  if (isUiFormat(value)) return { workflow: value };
  const prompt = member(value, 'prompt');
  const png = member(member(value, 'extra_data'), 'extra_pnginfo');
  const workflow = [member(value, 'workflow'), member(png, 'workflow')].find(isUiFormat);
  return { prompt: isApiFormat(prompt) ? prompt : undefined, workflow };
}

/** The forms in the texts of a picture: one that is foreign, broken or empty does not spoil the other. */
export function formsOfTexts(texts: EmbeddedWorkflow): TextForms {
  const unusable: string[] = [];
  const read = (key: 'prompt' | 'workflow'): Forms => {
    const text = texts[key];
    if (text === undefined) return {};
    try {
      const forms = formsOf(parseJson(text));
      if (forms.prompt === undefined && forms.workflow === undefined) {
        unusable.push(`its text '${key}' is JSON, but no workflow`);
      }
      return forms;
    } catch (error) {
      unusable.push(`its text '${key}' is no JSON (${(error as Error).message})`);
      return {};
    }
  };
  const [own, drawn] = [read('prompt'), read('workflow')];
  return {
    prompt: own.prompt ?? drawn.prompt,
    workflow: drawn.workflow ?? own.workflow,
    unusable,
  };
}

const member = (value: unknown, key: string): Json | undefined =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, Json>)[key]
    : undefined;
