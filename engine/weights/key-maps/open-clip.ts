/**
 * CLIP text models under other names: OpenCLIP's (`transformer.resblocks.0.attn.in_proj_weight`, in
 * SD2 and SDXL files), very old SD1 files that lack `text_model.`, and saved files with a bare
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
    else if (openClip) fromOpenClip(key, entry, tensors);
    else
      tensors.set(
        /^(embeddings|encoder\.layers|final_layer_norm)\./.test(key) ? `text_model.${key}` : key,
        entry,
      );
  }
  return { label: source.label, identity: `${source.identity}|clip-names`, tensors };
}

const outer: Readonly<Record<string, string>> = {
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
};

const inner: readonly (readonly [from: string, to: string])[] = [
  ['ln_1.', 'layer_norm1.'],
  ['ln_2.', 'layer_norm2.'],
  ['mlp.c_fc.', 'mlp.fc1.'],
  ['mlp.c_proj.', 'mlp.fc2.'],
  ['attn.out_proj.', 'self_attn.out_proj.'],
];

function fromOpenClip(key: string, entry: WeightEntry, to: Map<string, WeightEntry>): void {
  const block = /^transformer\.resblocks\.(\d+)\.(.+)$/.exec(key);
  if (!block) {
    to.set(outer[key] ?? key, entry);
    return;
  }
  const layer = `text_model.encoder.layers.${block[1]}.`;
  const fused = /^attn\.in_proj_(weight|bias)$/.exec(block[2]);
  if (fused) {
    const rows = entry.shape[0] / 3;
    ['q_proj', 'k_proj', 'v_proj'].forEach((name, i) => {
      to.set(`${layer}self_attn.${name}.${fused[1]}`, rowsOf(entry, i * rows, (i + 1) * rows));
    });
    return;
  }
  const row = inner.find(([from]) => block[2].startsWith(from));
  to.set(row ? layer + row[1] + block[2].slice(row[0].length) : key, entry);
}
