/** Telling the two workflow formats apart. */
import type { ApiPrompt } from './types.ts';

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
