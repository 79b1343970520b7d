/** PixArt files of the diffusers library, under the names of the original ones; q, k and v stay apart. */
import { type WeightSource, rename } from '../source.ts';

/** The original's modules and diffusers' names for them; N is a block's number. */
export const pixArtModules: readonly (readonly [ours: string, theirs: string])[] = [
  ['x_embedder.proj', 'pos_embed.proj'],
  ['y_embedder.y_proj.fc1', 'caption_projection.linear_1'],
  ['y_embedder.y_proj.fc2', 'caption_projection.linear_2'],
  ['t_embedder.mlp.0', 'adaln_single.emb.timestep_embedder.linear_1'],
  ['t_embedder.mlp.2', 'adaln_single.emb.timestep_embedder.linear_2'],
  ['csize_embedder.mlp.0', 'adaln_single.emb.resolution_embedder.linear_1'],
  ['csize_embedder.mlp.2', 'adaln_single.emb.resolution_embedder.linear_2'],
  ['ar_embedder.mlp.0', 'adaln_single.emb.aspect_ratio_embedder.linear_1'],
  ['ar_embedder.mlp.2', 'adaln_single.emb.aspect_ratio_embedder.linear_2'],
  ['t_block.1', 'adaln_single.linear'],
  ['final_layer.linear', 'proj_out'],
  ['blocks.N.attn.to_q', 'transformer_blocks.N.attn1.to_q'],
  ['blocks.N.attn.to_k', 'transformer_blocks.N.attn1.to_k'],
  ['blocks.N.attn.to_v', 'transformer_blocks.N.attn1.to_v'],
  ['blocks.N.attn.proj', 'transformer_blocks.N.attn1.to_out.0'],
  ['blocks.N.cross_attn.q_linear', 'transformer_blocks.N.attn2.to_q'],
  ['blocks.N.cross_attn.to_k', 'transformer_blocks.N.attn2.to_k'],
  ['blocks.N.cross_attn.to_v', 'transformer_blocks.N.attn2.to_v'],
  ['blocks.N.cross_attn.proj', 'transformer_blocks.N.attn2.to_out.0'],
  ['blocks.N.mlp.fc1', 'transformer_blocks.N.ff.net.0.proj'],
  ['blocks.N.mlp.fc2', 'transformer_blocks.N.ff.net.2'],
];

/** Parameters that are no module's weight or bias. */
const parameters = new Map([
  ['caption_projection.y_embedding', 'y_embedder.y_embedding'],
  ['scale_shift_table', 'final_layer.scale_shift_table'],
  ['transformer_blocks.N.scale_shift_table', 'blocks.N.scale_shift_table'],
]);

const ours = new Map(pixArtModules.map(([ours, theirs]) => [theirs, ours]));

/** Whether a source (its prefix removed) is a PixArt of diffusers. */
export const isDiffusersPixArt = ({ tensors }: WeightSource): boolean =>
  tensors.has('adaln_single.emb.timestep_embedder.linear_1.bias') &&
  tensors.has('pos_embed.proj.bias');

/** The same tensors under the original's names. */
export const fromDiffusersPixArt = (source: WeightSource): WeightSource =>
  rename(source, originalKey, { tag: 'diffusers-pixart' });

function originalKey(key: string): string {
  const [, number] = /^transformer_blocks\.(\d+)\./.exec(key) ?? [];
  const general = number === undefined ? key : key.replace(`.${number}.`, '.N.');
  const dot = general.lastIndexOf('.');
  const module = ours.get(general.slice(0, dot));
  const found = module === undefined ? parameters.get(general) : module + general.slice(dot);
  return found?.replace('.N.', `.${number}.`) ?? key;
}
