/** Several LoRAs in one node: each becomes a LoraLoader of ComfyUI's. */
import { combo, float, isLink, model, optional, clip } from 'noodle/node';
import type { Context, GraphBuilder, NodeDefinition, NodeResult } from 'noodle/node';
import { inCategory } from './define.ts';

const rgthree = inCategory('rgthree');

/** A LoRA file and how strongly it changes each of the two. */
export interface Lora {
  readonly name: string;
  readonly model: number;
  readonly clip: number;
}

interface Links {
  readonly model: unknown;
  readonly clip: unknown;
}

/** Adds the chain of loaders behind these links to a graph; without a CLIP only the model is changed. */
export function loadInto(
  graph: GraphBuilder,
  { model, clip }: Links,
  loras: readonly Lora[],
): [model: unknown, clip: unknown] {
  for (const lora of loras) {
    const lora_name = lora.name;
    if (clip === null) {
      const loader = graph.node('LoraLoaderModelOnly', {
        model,
        lora_name,
        strength_model: lora.model,
      });
      model = loader.out(0);
    } else {
      const strengths = { strength_model: lora.model, strength_clip: lora.clip };
      const loader = graph.node('LoraLoader', { model, clip, lora_name, ...strengths });
      [model, clip] = [loader.out(0), loader.out(1)];
    }
  }
  return [model, clip];
}

function load(context: Context, links: Links, loras: readonly Lora[]): NodeResult {
  const graph = context.newGraph();
  return { result: loadInto(graph, links, loras), expand: graph.finalize() };
}

/** The file that a workflow means: its path, or its name without folders or ending; else undefined. */
function findLora({ services: { folders } }: Context, wanted: string): string | undefined {
  const path = wanted.replaceAll('\\', '/');
  const base = path.split('/').at(-1)!;
  const names = [path, `${path}.safetensors`, base, `${base}.safetensors`];
  return names.find((name) => {
    try {
      folders.modelFile('loras', name);
      return true;
    } catch {
      return false;
    }
  });
}

/** A row of the Power Lora Loader: `{ on, lora, strength, strengthTwo? }`; undefined for other values. */
function rowOf(value: unknown, hasClip: boolean): Lora | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const row = value as Readonly<Record<string, unknown>>;
  const { on, lora, strength, strengthTwo } = row;
  if (on !== true || typeof lora !== 'string' || lora === 'None') return undefined;
  const forModel = Number(strength ?? 0);
  const forClip = hasClip ? Number(strengthTwo ?? forModel) : 0;
  if (forModel === 0 && forClip === 0) return undefined;
  return { name: lora, model: forModel, clip: forClip };
}

/** Files that are not there are left out, as rgthree does; the text at the node names them. */
const powerLoraLoader = rgthree({
  name: 'Power Lora Loader (rgthree)',
  inputs: {
    model: optional(model({ rawLink: true })),
    clip: optional(clip({ rawLink: true })),
  },
  acceptAllInputs: true,
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'CLIP', name: 'CLIP' },
  ],
  run({ model, clip, ...rest }, context) {
    const links = { model: isLink(model) ? model : null, clip: isLink(clip) ? clip : null };
    if (links.model === null) return [null, links.clip];
    const rows = Object.entries(rest)
      .filter(([name]) => name.toUpperCase().startsWith('LORA_'))
      .map(([, value]) => rowOf(value, links.clip !== null))
      .filter((row) => row !== undefined);
    const found: Lora[] = [];
    const missing: string[] = [];
    for (const row of rows) {
      const name = findLora(context, row.name);
      if (name === undefined) missing.push(row.name);
      else found.push({ ...row, name });
    }
    if (missing.length > 0) {
      context.sendText(`left out, not found: ${missing.join(', ')}`);
    }
    return load(context, links, found);
  },
});

const numbers = ['01', '02', '03', '04'] as const;

const loraStack = rgthree({
  name: 'Lora Loader Stack (rgthree)',
  inputs: {
    model: model({ rawLink: true }),
    clip: clip({ rawLink: true }),
    ...Object.fromEntries(
      numbers.flatMap((n) => [
        [`lora_${n}`, combo((source) => ['None', ...source.modelFiles('loras')])],
        [`strength_${n}`, float({ default: 1, min: -10, max: 10, step: 0.01 })],
      ]),
    ),
  },
  outputs: [{ type: 'MODEL' }, { type: 'CLIP' }],
  run({ model, clip, ...rest }, context) {
    const given = rest as Readonly<Record<string, unknown>>;
    const loras = numbers
      .map((n) => ({
        name: given[`lora_${n}`] as string,
        strength: Number(given[`strength_${n}`]),
      }))
      .filter(({ name, strength }) => name !== 'None' && strength !== 0)
      .map(({ name, strength }) => ({ name, model: strength, clip: strength }));
    return load(context, { model, clip }, loras);
  },
});

export const loraNodes: readonly NodeDefinition[] = [powerLoraLoader, loraStack];
