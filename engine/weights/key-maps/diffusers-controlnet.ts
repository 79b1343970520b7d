/** ControlNet and T2I-Adapter files of the diffusers library, under the names of their papers' code. */
import { type WeightSource, rename } from '../source.ts';
import { diffusersUNetKeys } from './diffusers-unet.ts';

/** Whether a source is a ControlNet for UNets in diffusers' layout. */
export const isDiffusersControlNet = ({ tensors }: WeightSource): boolean =>
  tensors.has('controlnet_cond_embedding.conv_in.weight');

/** The same tensors under the names of lllyasviel/ControlNet. */
export function fromDiffusersControlNet(source: WeightSource): WeightSource {
  const keys = [...source.tensors.keys()];
  const encoder = diffusersUNetKeys(keys);
  // the picture's convolutions are numbered through, with activations between them
  const inner = keys.filter((key) => /^controlnet_cond_embedding\.blocks\.\d+\.weight$/.test(key));
  const own = (key: string): string =>
    key
      .replace(/^controlnet_down_blocks\.(\d+)\./, 'zero_convs.$1.0.')
      .replace(/^controlnet_mid_block\./, 'middle_block_out.0.')
      .replace(/^controlnet_cond_embedding\.conv_in\./, 'input_hint_block.0.')
      .replace(
        /^controlnet_cond_embedding\.conv_out\./,
        `input_hint_block.${(inner.length + 1) * 2}.`,
      )
      .replace(
        /^controlnet_cond_embedding\.blocks\.(\d+)\./,
        (_, i: string) => `input_hint_block.${(Number(i) + 1) * 2}.`,
      )
      .replace('.attn.in_proj_', '.attn.in_proj.'); // union networks
  return rename(source, (key) => encoder.get(key) ?? own(key), { tag: 'diffusers-controlnet' });
}

/** Whether a source is a T2I-Adapter in diffusers' layout. */
export const isDiffusersT2IAdapter = ({ tensors }: WeightSource): boolean =>
  tensors.has('adapter.body.0.resnets.0.block1.weight');

/** The same tensors under the names of TencentARC/T2I-Adapter: two blocks a level, numbered through. */
export function fromDiffusersT2IAdapter(source: WeightSource): WeightSource {
  const to = (key: string): string =>
    key
      .replace(
        /^adapter\.body\.(\d+)\.resnets\.(\d+)\./,
        (_, level: string, i: string) => `body.${Number(level) * 2 + Number(i)}.`,
      )
      .replace(/^adapter\.body\.(\d+)\./, (_, level: string) => `body.${Number(level) * 2}.`)
      .replace(/^adapter\./, '');
  return rename(source, to, { tag: 'diffusers-t2i-adapter' });
}
