/** Attention whose q, k and v lie in one matrix (torch's own layer), under names of their own. */
import { type WeightEntry, type WeightSource, rowsOf } from '../source.ts';

const fused = /^(.*\.attention\.attn\.)in_proj_(weight|bias)$/;

/** The source with `to_q`, `to_k` and `to_v` as Stable Cascade's networks ask for them; itself where it has them. */
export function withSplitAttention(source: WeightSource): WeightSource {
  if (![...source.tensors.keys()].some((key) => fused.test(key))) return source;
  const tensors = new Map<string, WeightEntry>();
  for (const [key, entry] of source.tensors) {
    const [, layer, name] = fused.exec(key) ?? [];
    if (layer === undefined) {
      tensors.set(key, entry);
      continue;
    }
    const rows = Math.floor(entry.shape[0] / 3);
    ['to_q', 'to_k', 'to_v'].forEach((part, i) => {
      tensors.set(`${layer}${part}.${name}`, rowsOf(entry, i * rows, (i + 1) * rows));
    });
  }
  return { ...source, identity: `${source.identity}|split-attention`, tensors };
}
