/** Tiny autoencoders of diffusion transformers. */
import { type Tensors, goldenTensors, randomLayers, under } from './tensors.ts';

export const fluxVae = () => goldenTensors('dit-vae', 'model_flux_vae.safetensors');
export const wanVae = () => goldenTensors('dit-vae', 'model_wan21_vae.safetensors');
/** Of four channels. */
export const sdVae = async () =>
  new Map(
    under(
      await goldenTensors('end-to-end', 'models/checkpoints/tiny_sd15.safetensors.gz'),
      'first_stage_model.',
      '',
    ),
  );
export const flux2Vae = () => goldenTensors('dit-2026', 'model_flux2_vae.safetensors');

/** HunyuanImage's decoder: 64 channels, five times twice as large. */
export async function hunyuanImageVae(): Promise<Tensors> {
  const widths = [128, 64, 64, 32, 32, 32];
  const layer = (name: string, out: number, into: number, size: number) =>
    [
      [`${name}.weight`, [out, into, size, size]],
      [`${name}.bias`, [out]],
    ] as const;
  const norm = (name: string, width: number) =>
    [
      [`${name}.weight`, [width]],
      [`${name}.bias`, [width]],
    ] as const;
  const block = (name: string, into: number, out: number) => [
    ...norm(`${name}.norm1`, into),
    ...layer(`${name}.conv1`, out, into, 3),
    ...norm(`${name}.norm2`, out),
    ...layer(`${name}.conv2`, out, out, 3),
  ];
  const attention = 'decoder.mid.attn_1';
  return randomLayers([
    ...layer('decoder.conv_in', widths[0], 64, 3),
    ...block('decoder.mid.block_1', widths[0], widths[0]),
    ...norm(`${attention}.norm`, widths[0]),
    ...['q', 'k', 'v', 'proj_out'].flatMap((n) =>
      layer(`${attention}.${n}`, widths[0], widths[0], 1),
    ),
    ...block('decoder.mid.block_2', widths[0], widths[0]),
    ...widths.flatMap((width, level) => [
      ...block(`decoder.up.${level}.block.0`, width, width),
      ...(level + 1 < widths.length
        ? layer(`decoder.up.${level}.upsample.conv`, 4 * widths[level + 1], width, 3)
        : []),
    ]),
    ...norm('decoder.norm_out', widths.at(-1)!),
    ...layer('decoder.conv_out', 3, widths.at(-1)!, 3),
  ]);
}
