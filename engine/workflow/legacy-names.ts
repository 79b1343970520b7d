/**
 * Names that ComfyUI's page changes when it opens a workflow: classes that were misspelt or became one
 * with another, and samplers as the first versions stored them. Pure; runs in a browser too.
 */

/** Old class -> the class it is now. */
export const RENAMED_CLASSES: ReadonlyMap<string, string> = new Map([
  ['T2IAdapterLoader', 'ControlNetLoader'],
  ['ConditioningAverage ', 'ConditioningAverage'],
  ['SDV_img2vid_Conditioning', 'SVD_img2vid_Conditioning'],
]);

/** Classes whose sampler may be stored as `sample_euler`. */
const SAMPLING = new Set(['KSampler', 'KSamplerAdvanced']);

/** A node of a workflow file with the names of today; anything else is left as it is. */
export function withCurrentNames(node: unknown): unknown {
  if (typeof node !== 'object' || node === null || !('type' in node)) return node;
  const { type } = node;
  if (typeof type !== 'string') return node;
  if (RENAMED_CLASSES.has(type)) return { ...node, type: RENAMED_CLASSES.get(type) };
  if (!SAMPLING.has(type) || !('widgets_values' in node)) return node;
  const values = node.widgets_values;
  if (Array.isArray(values)) return { ...node, widgets_values: values.map(samplerName) };
  if (typeof values !== 'object' || values === null || !('sampler_name' in values)) return node;
  const { sampler_name } = values;
  return { ...node, widgets_values: { ...values, sampler_name: samplerName(sampler_name) } };
}

/** No other text of these classes begins like this. */
const samplerName = (value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('sample_') ? value.slice('sample_'.length) : value;

/** A workflow file whose nodes, also those of its subgraphs, have the names of today. */
export function currentWorkflow<T>(workflow: T): T {
  if (typeof workflow !== 'object' || workflow === null || Array.isArray(workflow)) return workflow;
  const { nodes, definitions } = workflow as { nodes?: unknown; definitions?: unknown };
  const changed: { nodes?: unknown; definitions?: unknown } = { ...workflow };
  if (Array.isArray(nodes)) changed.nodes = nodes.map(withCurrentNames);
  if (typeof definitions === 'object' && definitions !== null && 'subgraphs' in definitions) {
    const { subgraphs } = definitions;
    if (Array.isArray(subgraphs)) {
      changed.definitions = { ...definitions, subgraphs: subgraphs.map(currentWorkflow) };
    }
  }
  return changed as T;
}
