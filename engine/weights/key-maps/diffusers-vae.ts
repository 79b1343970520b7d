/** AutoencoderKL files of the diffusers library, under the names of single-file checkpoints. */
import { type WeightEntry, type WeightSource, reshapedEntry } from '../source.ts';

/** Whether a source (its prefix removed) uses diffusers names for a picture autoencoder. */
export function isDiffusersVae(source: WeightSource): boolean {
  return source.tensors.has('decoder.up_blocks.0.resnets.0.norm1.weight');
}

/** The same tensors under latent-diffusion names; linear attention weights become 1x1 convolutions. */
export function fromDiffusersVae(source: WeightSource): WeightSource {
  const levels = 1 + Math.max(...indices(source, /^decoder\.up_blocks\.(\d+)\./));
  const tensors = new Map<string, WeightEntry>();
  for (const [key, entry] of source.tensors) {
    const renamed = vaeKey(key, levels);
    const isAttention = /\.attn_1\.(q|k|v|proj_out)\.weight$/.test(renamed);
    const matrix = isAttention && entry.shape.length === 2;
    tensors.set(renamed, matrix ? reshapedEntry(entry, [...entry.shape, 1, 1]) : entry);
  }
  return { label: source.label, identity: `${source.identity}|diffusers-vae`, tensors };
}

const attention: Readonly<Record<string, string>> = {
  group_norm: 'norm',
  to_q: 'q',
  query: 'q',
  to_k: 'k',
  key: 'k',
  to_v: 'v',
  value: 'v',
  'to_out.0': 'proj_out',
  proj_attn: 'proj_out',
};

function vaeKey(key: string, levels: number): string {
  return (
    key
      .replace(/^encoder\.down_blocks\.(\d+)\.resnets\./, 'encoder.down.$1.block.')
      .replace(/^encoder\.down_blocks\.(\d+)\.downsamplers\.0\./, 'encoder.down.$1.downsample.')
      // the decoder's levels are counted from the other end
      .replace(
        /^decoder\.up_blocks\.(\d+)\.resnets\./,
        (_, i) => `decoder.up.${levels - 1 - i}.block.`,
      )
      .replace(
        /^decoder\.up_blocks\.(\d+)\.upsamplers\.0\./,
        (_, i) => `decoder.up.${levels - 1 - i}.upsample.`,
      )
      .replace(/\.mid_block\.resnets\.(\d)\./, (_, i) => `.mid.block_${Number(i) + 1}.`)
      .replace(
        /\.mid_block\.attentions\.0\.(to_out\.0|\w+)\./,
        (_, name: string) => `.mid.attn_1.${attention[name] ?? name}.`,
      )
      .replace('.conv_norm_out.', '.norm_out.')
      .replace('.conv_shortcut.', '.nin_shortcut.')
  );
}

function indices(source: WeightSource, pattern: RegExp): number[] {
  return [...source.tensors.keys()].map((key) => Number(pattern.exec(key)?.[1] ?? -1));
}
