/**
 * What a file that no family accepts seems to be, so that the refusal can say so. The rows test for
 * keys that released files have, in the order ComfyUI tests them; they name models, they do not
 * describe them.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { detectUNet } from '../unet.ts';

interface Row {
  readonly title: string | ((w: Weights) => string);
  readonly keys: readonly string[];
}

const models: readonly Row[] = [
  { title: 'Stable Diffusion 3', keys: ['joint_blocks.0.context_block.attn.qkv.weight'] },
  { title: 'Stable Cascade', keys: ['clf.1.weight'] },
  { title: 'Stable Audio', keys: ['transformer.rotary_pos_emb.inv_freq'] },
  { title: 'AuraFlow', keys: ['double_layers.0.attn.w1q.weight'] },
  { title: 'HunyuanDiT', keys: ['mlp_t5.0.weight'] },
  { title: hunyuan, keys: ['txt_in.individual_token_refiner.blocks.0.norm1.weight'] },
  {
    title: 'Chroma',
    keys: [
      'double_blocks.0.img_attn.norm.key_norm.scale',
      'distilled_guidance_layer.norms.0.scale',
    ],
  },
  { title: 'Flux', keys: ['double_blocks.0.img_attn.norm.key_norm.scale', 'img_in.weight'] },
  { title: 'Mochi', keys: ['t5_yproj.weight'] },
  {
    title: 'PixArt (diffusers layout)',
    keys: ['adaln_single.emb.timestep_embedder.linear_1.bias', 'pos_embed.proj.bias'],
  },
  { title: 'LTX-Video', keys: ['adaln_single.emb.timestep_embedder.linear_1.bias'] },
  { title: 'ACE-Step', keys: ['genre_embedder.weight'] },
  { title: 'PixArt alpha', keys: ['t_block.1.weight', 'ar_embedder.mlp.0.weight'] },
  { title: 'PixArt sigma', keys: ['t_block.1.weight'] },
  { title: 'Cosmos', keys: ['blocks.block0.blocks.0.block.attn.to_q.0.weight'] },
  { title: 'Lumina 2', keys: ['cap_embedder.1.weight'] },
  { title: 'Wan', keys: ['head.modulation'] },
  { title: 'Hunyuan 3D', keys: ['latent_in.weight'] },
  { title: 'Hunyuan 3D 2.1', keys: ['t_embedder.mlp.2.weight', 'x_embedder.weight'] },
  { title: 'HiDream', keys: ['caption_projection.0.linear.weight'] },
  { title: 'Cosmos Predict2', keys: ['blocks.0.mlp.layer1.weight'] },
  { title: 'OmniGen2', keys: ['time_caption_embed.timestep_embedder.linear_1.bias'] },
  { title: 'Qwen-Image', keys: ['txt_norm.weight'] },
  { title: unetTitle, keys: ['input_blocks.0.0.weight'] },
];

/** Files that hold something else than a diffusion model, by a key or the start or end of one. */
const others: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'a LoRA (models/loras)', pattern: /(\.lora_(up|down|A|B)\.|\.hada_w1_a$|\.lokr_w[12])/ },
  {
    what: 'a control network (models/controlnet)',
    pattern: /^(control_model\.|zero_convs\.|controlnet_)/,
  },
  {
    what: 'a text encoder (models/text_encoders)',
    pattern: /^(text_model\.|encoder\.block\.|model\.layers\.)/,
  },
  { what: 'a text encoder (models/text_encoders)', pattern: /^transformer\.resblocks\./ },
  {
    what: 'a picture autoencoder (models/vae)',
    pattern: /^(decoder|encoder)\.(conv_in|mid|up|down)/,
  },
  { what: 'an upscale model (models/upscale_models)', pattern: /^(model\.1\.sub\.|body\.0\.rdb1)/ },
];

/** The name of the model under `w` (its prefix removed), or undefined when nothing is recognised. */
export function foreignModel(w: Weights): string | undefined {
  const row = models.find(({ keys }) => keys.every((key) => w.has(key)));
  return typeof row?.title === 'function' ? row.title(w) : row?.title;
}

/** What a file without a diffusion model seems to hold. */
export function otherKind(keys: Iterable<string>): string | undefined {
  const all = [...keys];
  return others.find(({ pattern }) => all.some((key) => pattern.test(key)))?.what;
}

function hunyuan(w: Weights): string {
  return w.has('vector_in') ? 'HunyuanVideo' : 'HunyuanImage 2.1';
}

function unetTitle(w: Weights): string {
  const config = detectUNet(w);
  if (!config) return 'an incomplete UNet';
  if (config.temporal) return 'Stable Video Diffusion';
  if (config.inChannels === 7) return 'the Stable Diffusion x4 upscaler';
  if (config.admWidth !== undefined && config.depths[1] > 0) {
    return config.admWidth === 4 ? 'Lotus-D' : 'Stable Diffusion 2.1 unCLIP';
  }
  const { inChannels, contextWidth } = config;
  return `a UNet with ${inChannels} input channels and text width ${contextWidth ?? 'none'}`;
}
