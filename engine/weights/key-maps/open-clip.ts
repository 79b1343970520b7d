/**
 * CLIP models under other names: OpenCLIP's (`transformer.resblocks.0.attn.in_proj_weight`, in SD2 and
 * SDXL files), very old SD1 files that lack `text_model.`, and saved files with a bare
 * `text_projection`. All become huggingface names as views of the same bytes.
 */
import { type WeightEntry, type WeightSource, rowsOf, transposedEntry } from '../source.ts';

/** The source with huggingface's CLIP names; itself, under a new identity, when it has them already. */
export function clipNames(source: WeightSource): WeightSource {
  const tensors = new Map<string, WeightEntry>();
  const openClip = source.tensors.has('transformer.resblocks.0.ln_1.weight');
  for (const [key, entry] of source.tensors) {
    // x @ text_projection in OpenCLIP; linear layers multiply by the transposed weight
    if (key === 'text_projection') tensors.set('text_projection.weight', transposedEntry(entry));
    else if (openClip) fromOpenClip(key, entry, tensors, text);
    else
      tensors.set(
        /^(embeddings|encoder\.layers|final_layer_norm)\./.test(key) ? `text_model.${key}` : key,
        entry,
      );
  }
  return { label: source.label, identity: `${source.identity}|clip-names`, tensors };
}

/** The source with huggingface's names for CLIP's picture half; itself when it has them already. */
export function clipVisionNames(source: WeightSource): WeightSource {
  if (!source.tensors.has('transformer.resblocks.0.ln_1.weight')) return source;
  const tensors = new Map<string, WeightEntry>();
  for (const [key, entry] of source.tensors) {
    if (key === 'proj') tensors.set('visual_projection.weight', transposedEntry(entry));
    else fromOpenClip(key, entry, tensors, vision);
  }
  return { label: source.label, identity: `${source.identity}|clip-vision-names`, tensors };
}

/** One half of CLIP: where its blocks stand, and the names around them. */
interface Half {
  readonly layers: string;
  readonly outer: Readonly<Record<string, string>>;
}

const text: Half = {
  layers: 'text_model.encoder.layers.',
  outer: {
    positional_embedding: 'text_model.embeddings.position_embedding.weight',
    'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
    'ln_final.weight': 'text_model.final_layer_norm.weight',
    'ln_final.bias': 'text_model.final_layer_norm.bias',
  },
};

const vision: Half = {
  layers: 'vision_model.encoder.layers.',
  outer: {
    class_embedding: 'vision_model.embeddings.class_embedding',
    'conv1.weight': 'vision_model.embeddings.patch_embedding.weight',
    positional_embedding: 'vision_model.embeddings.position_embedding.weight',
    'ln_pre.weight': 'vision_model.pre_layrnorm.weight', // sic
    'ln_pre.bias': 'vision_model.pre_layrnorm.bias',
    'ln_post.weight': 'vision_model.post_layernorm.weight',
    'ln_post.bias': 'vision_model.post_layernorm.bias',
  },
};

function fromOpenClip(
  key: string,
  entry: WeightEntry,
  to: Map<string, WeightEntry>,
  { layers, outer }: Half,
): void {
  const block = /^transformer\.resblocks\.(\d+)\.(.+)$/.exec(key);
  if (!block) to.set(outer[key] ?? key, entry);
  else fromOpenClipBlock(`${layers}${block[1]}.`, block[2], entry, to);
}

const inner: readonly (readonly [from: string, to: string])[] = [
  ['ln_1.', 'layer_norm1.'],
  ['ln_2.', 'layer_norm2.'],
  ['mlp.c_fc.', 'mlp.fc1.'],
  ['mlp.c_proj.', 'mlp.fc2.'],
  ['attn.out_proj.', 'self_attn.out_proj.'],
];

/** Puts one tensor of a transformer block under huggingface's names, behind `layer`. */
export function fromOpenClipBlock(
  layer: string,
  key: string,
  entry: WeightEntry,
  to: Map<string, WeightEntry>,
): void {
  const fused = /^attn\.in_proj_(weight|bias)$/.exec(key);
  if (fused) {
    const rows = entry.shape[0] / 3;
    ['q_proj', 'k_proj', 'v_proj'].forEach((name, i) => {
      to.set(`${layer}self_attn.${name}.${fused[1]}`, rowsOf(entry, i * rows, (i + 1) * rows));
    });
    return;
  }
  const row = inner.find(([from]) => key.startsWith(from));
  to.set(layer + (row ? row[1] + key.slice(row[0].length) : key), entry);
}

/** T2I-Adapter's style adapter, whose blocks are OpenCLIP's, with huggingface's names inside them. */
export function styleAdapterNames(source: WeightSource): WeightSource {
  const tensors = new Map<string, WeightEntry>();
  for (const [key, entry] of source.tensors) {
    const block = /^(transformer_layes\.\d+\.)(.+)$/.exec(key);
    if (block) fromOpenClipBlock(block[1], block[2], entry, tensors);
    else tensors.set(key, entry);
  }
  return { label: source.label, identity: `${source.identity}|style-adapter-names`, tensors };
}

/** Where an OpenCLIP tensor comes from: these keys' rows one below the other, or one key's matrix turned. */
export interface OpenClipTensor {
  readonly keys: readonly string[];
  readonly transposed?: boolean;
}

/** OpenCLIP's names for keys in huggingface's. */
export function toOpenClip(keys: Iterable<string>): Map<string, OpenClipTensor> {
  const theirs = new Map(Object.entries(text.outer).map(([open, hugging]) => [hugging, open]));
  const tensors = new Map<string, OpenClipTensor>();
  for (const key of keys) {
    if (key === 'text_projection.weight') {
      tensors.set('text_projection', { keys: [key], transposed: true });
      continue;
    }
    const [, layer, rest] = /^text_model\.encoder\.layers\.(\d+)\.(.+)$/.exec(key) ?? [];
    if (layer === undefined) {
      if (!key.endsWith('position_ids')) tensors.set(theirs.get(key) ?? key, { keys: [key] });
      continue;
    }
    const block = `transformer.resblocks.${layer}.`;
    const [, which] = /^self_attn\.[qkv]_proj\.(weight|bias)$/.exec(rest) ?? [];
    if (which !== undefined) {
      const parts = ['q', 'k', 'v'].map(
        (name) => `text_model.encoder.layers.${layer}.self_attn.${name}_proj.${which}`,
      );
      tensors.set(`${block}attn.in_proj_${which}`, { keys: parts });
      continue;
    }
    const row = inner.find(([, to]) => rest.startsWith(to));
    tensors.set(block + (row ? row[0] + rest.slice(row[1].length) : rest), { keys: [key] });
  }
  return tensors;
}
