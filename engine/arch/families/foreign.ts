/**
 * What a file that nothing here accepts seems to be, so that the refusal can say so. The rows test
 * for keys that released files have, in the order ComfyUI tests them; they name models, autoencoders
 * and text encoders, they do not describe them.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { detectUNet } from '../unet.ts';

interface Row {
  readonly title: string | ((w: Weights) => string);
  /** All of them are there. */
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
  { title: 'MiniMax H3', keys: ['video_patch_proj.weight', 'audio_patch_proj.weight'] },
  { title: 'LTX-2', keys: ['audio_adaln_single.linear.weight'] },
  { title: 'LTX-Video', keys: ['adaln_single.emb.timestep_embedder.linear_1.bias'] },
  { title: 'ACE-Step', keys: ['genre_embedder.weight'] },
  { title: 'PixArt alpha', keys: ['t_block.1.weight', 'ar_embedder.mlp.0.weight'] },
  { title: 'PixArt sigma', keys: ['t_block.1.weight'] },
  { title: 'Cosmos', keys: ['blocks.block0.blocks.0.block.attn.to_q.0.weight'] },
  { title: 'PixelDiT', keys: ['core.pixel_embedder.proj.weight'] },
  { title: 'Z-Image in pixel space', keys: ['dec_net.cond_embed.weight'] },
  { title: 'NewBie', keys: ['clip_text_pooled_proj.0.weight'] },
  { title: 'Lumina 2', keys: ['cap_embedder.1.weight'] },
  { title: 'CogVideoX', keys: ['blocks.0.norm1.linear.weight'] },
  { title: 'Wan', keys: ['head.modulation'] },
  {
    title: 'Wan (diffusers layout)',
    keys: ['condition_embedder.time_proj.weight', 'proj_out.weight'],
  },
  { title: 'Hunyuan 3D', keys: ['latent_in.weight'] },
  { title: 'Hunyuan 3D 2.1', keys: ['t_embedder.mlp.2.weight', 'x_embedder.weight'] },
  { title: 'HiDream-O1', keys: ['t_embedder1.mlp.0.weight', 'x_embedder.proj1.weight'] },
  { title: 'HiDream', keys: ['caption_projection.0.linear.weight'] },
  {
    title: 'Anima',
    keys: ['blocks.0.mlp.layer1.weight', 'llm_adapter.blocks.0.cross_attn.q_proj.weight'],
  },
  { title: 'Cosmos Predict2 Video2World', keys: ['blocks.0.mlp.layer1.weight'] },
  {
    title: 'Boogu-Image',
    keys: ['double_stream_layers.0.img_instruct_attn.processor.img_to_q.weight'],
  },
  { title: 'OmniGen2', keys: ['time_caption_embed.timestep_embedder.linear_1.bias'] },
  { title: 'Lens', keys: ['transformer_blocks.0.img_mlp.w1.weight'] },
  { title: 'Qwen-Image', keys: ['txt_norm.weight'] },
  { title: 'JoyImage', keys: ['double_blocks.0.attn.img_attn_q_norm.weight'] },
  { title: 'Ideogram 4', keys: ['embed_image_indicator.weight'] },
  { title: 'Krea 2', keys: ['txtfusion.projector.weight'] },
  {
    title: 'Kandinsky 5',
    keys: ['visual_transformer_blocks.0.cross_attention.key_norm.weight'],
  },
  { title: 'ERNIE-Image', keys: ['layers.0.mlp.linear_fc2.weight'] },
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
  {
    what: 'a picture encoder (models/clip_vision)',
    pattern: /^(vision_model\.|visual\.transformer\.)/,
  },
  { what: 'a style model (models/style_models)', pattern: /^redux_up\./ },
  { what: 'an upscale model (models/upscale_models)', pattern: /^(model\.1\.sub\.|body\.0\.rdb1)/ },
];

const autoencoders: readonly Row[] = [
  { title: 'Stable Video Diffusion', keys: ['decoder.mid.block_1.mix_factor'] },
  { title: 'Stable Audio', keys: ['decoder.layers.1.layers.0.beta'] },
  { title: 'Mochi', keys: ['blocks.2.blocks.3.stack.5.weight'] },
  { title: 'LTX-Video', keys: ['decoder.up_blocks.0.res_blocks.0.conv1.conv.weight'] },
  { title: 'HunyuanVideo', keys: ['decoder.conv_in.conv.weight'] },
  { title: 'Cosmos', keys: ['decoder.unpatcher3d.wavelets'] },
  { title: 'Wan', keys: ['decoder.middle.0.residual.0.gamma'] },
  { title: 'Hunyuan 3D', keys: ['geo_decoder.cross_attn_decoder.ln_1.bias'] },
  { title: 'ACE-Step', keys: ['vocoder.backbone.channel_layers.0.0.bias'] },
  { title: 'HunyuanVideo 1.5', keys: ['decoder.conv_in.weight'] },
];

const textEncoders: readonly Row[] = [
  { title: 'T5-XXL', keys: ['encoder.block.23.layer.1.DenseReluDense.wi_1.weight'] },
  { title: 'T5 v1.0 XXL', keys: ['encoder.block.23.layer.1.DenseReluDense.wi.weight'] },
  { title: 'a T5', keys: ['encoder.block.0.layer.0.SelfAttention.k.weight'] },
  { title: 'Gemma', keys: ['model.layers.0.post_feedforward_layernorm.weight'] },
  { title: 'Qwen2.5-VL', keys: ['model.layers.0.self_attn.k_proj.bias'] },
  { title: 'Llama 3', keys: ['model.layers.0.post_attention_layernorm.weight'] },
];

const titleOf = (rows: readonly Row[], w: Weights): string | undefined => {
  const row = rows.find(({ keys }) => keys.every((key) => w.has(key)));
  return typeof row?.title === 'function' ? row.title(w) : row?.title;
};

/** The name of the diffusion model under `w` (its prefix removed); undefined when it is not known. */
export const foreignModel = (w: Weights): string | undefined => titleOf(models, w);

/** The model whose autoencoder stands under `w`; undefined when it is not known. */
export const foreignAutoencoder = (w: Weights): string | undefined => titleOf(autoencoders, w);

/** The name of the text encoder under `w`; undefined when it is not known. */
export const foreignTextEncoder = (w: Weights): string | undefined => titleOf(textEncoders, w);

/** What a file without a diffusion model seems to hold. */
export function otherKind(keys: Iterable<string>): string | undefined {
  const all = [...keys];
  return others.find(({ pattern }) => all.some((key) => pattern.test(key)))?.what;
}

function hunyuan(w: Weights): string {
  return w.has('vector_in') ? 'HunyuanVideo' : 'HunyuanVideo 1.5';
}

function unetTitle(w: Weights): string {
  const config = detectUNet(w);
  if (!config) return 'an incomplete UNet';
  if (config.temporal) return 'Stable Video Diffusion';
  if (config.admWidth === 4 && config.depths[1] > 0) return 'Lotus-D';
  const { inChannels, contextWidth } = config;
  return `a UNet with ${inChannels} input channels and text width ${contextWidth ?? 'none'}`;
}
