/** What the mock server's scripted runs do and tell. */

export interface PromptNode {
  readonly class_type: string;
  readonly inputs: Record<string, unknown>;
}

export function executionOrder(prompt: Record<string, PromptNode>): string[] {
  const order: string[] = [];
  const visit = (id: string): void => {
    if (order.includes(id) || !(id in prompt)) return;
    for (const value of Object.values(prompt[id].inputs)) {
      if (Array.isArray(value)) visit(String(value[0]));
    }
    order.push(id);
  };
  Object.keys(prompt).forEach(visit);
  return order;
}

export function uiOf(node: PromptNode, run: number): Record<string, unknown> | null {
  if (node.class_type === 'PreviewAny') return { text: ['a text result'] };
  if (node.class_type === 'SaveAudio') return { audio: [{ filename: 'tone.flac' }] };
  if (node.class_type !== 'SaveImage' && node.class_type !== 'PreviewImage') return null;
  const name = `${String(node.inputs.filename_prefix)}_${String(run).padStart(5, '0')}_.png`;
  return { images: [{ filename: name, subfolder: '', type: 'output' }] };
}

export const progressOf = (promptId: string, id: string, value: number, max: number) => ({
  value,
  max,
  state: 'running' as const,
  node_id: id,
  prompt_id: promptId,
  display_node_id: id,
  parent_node_id: null,
  real_node_id: id,
});

export const explosion = (promptId: string, id: string) => ({
  prompt_id: promptId,
  node_id: id,
  node_type: 'KSampler',
  executed: [],
  exception_message: 'the sampler exploded on purpose\n',
  exception_type: 'ValueError',
  traceback: ['  in sample()\n', '  in step()\n'],
  current_inputs: {},
  current_outputs: [],
  timestamp: 0,
});

export interface HistoryEntry {
  readonly outputs?: Readonly<Record<string, { images?: readonly { type: string }[] }>>;
  readonly status?: { readonly status_str: string };
}

/** A job as GET /v1/jobs lists it; `entry` is its history where it has finished. */
export function jobOf(
  id: string,
  status: string,
  { outputs = {}, status: end }: HistoryEntry = {},
): Record<string, unknown> {
  const files = Object.entries(outputs).flatMap(([node_id, { images = [] }]) =>
    images.map((file) => ({ ...file, node_id, kind: 'images', directory: file.type })),
  );
  const summary = { name: 'A workflow', text: 'words', seed: '11', nodes: 7 };
  const failed = end?.status_str === 'error';
  return { id, number: 1, summary, outputs: files, status: failed ? 'failed' : status };
}
