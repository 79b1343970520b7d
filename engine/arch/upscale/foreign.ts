/** Picture networks that are told apart, so that messages can name them, but cannot be run. */
import type { Weights } from '../../tensor/cursor.ts';

/** A name as model collections have it, and a key that no other network has. */
const foreign: readonly (readonly [name: string, key: string])[] = [
  ['MM-RealSR', 'am_list.0.fc.0.weight'],
  ['Swin2SR with a second branch', 'conv_bicubic.weight'],
  ['Swin2SR with a second branch', 'conv_after_body_hf.weight'],
  ['GRL', 'layers.0.blocks.0.attn.window_attn.attn_transform.logit_scale'],
  ['CRAFT', 'layers.0.residual_group.hf_blocks.0.attn.temperature'],
  ['MoESR', 'blocks.0.blocks.0.conv.dwconv_hw.weight'],
  ['SeemoRe', 'body.0.local_block.norm_1.weight'],
  ['SAFMN-BCIE', 'feats.0.layers.0.safm.aggr.weight'],
  ['DITN', 'UFONE.0.ITLs.0.attn.temperature'],
  ['DCTLSA', 'B1.body.0.transformer_body.0.blocks.0.attn.qkv.weight'],
  ['SwiftSRGAN', 'initial.cnn.depthwise.weight'],
  ['AuraSR', 'mid_attn.layers.0.0.to_out.weight'],
  ['GFPGAN', 'stylegan_decoder.style_mlp.1.weight'],
  ['CodeFormer', 'idx_pred_layer.1.weight'],
  ['RestoreFormer', 'quantize.embedding.weight'],
  ['LaMa', 'generator.model.1.bn_l.running_mean'],
  ['LaMa', 'model.model.1.bn_l.running_mean'],
  ['FBCNN', 'm_body_encoder.0.res.0.weight'],
  ['DRUNet', 'm_body.0.res.0.weight'],
  ['Uformer', 'encoderlayer_0.blocks.0.norm1.weight'],
  ['KBNet', 'encoders.0.0.attgamma'],
  ['NAFNet', 'intro.weight'],
  ['Restormer', 'encoder_level1.0.attn.temperature'],
  ['FFTformer', 'encoder_level1.0.norm2.body.weight'],
  ['RetinexFormer', 'body.0.estimator.conv1.weight'],
  ['HVI-CIDNet', 'HVE_block0.1.weight'],
];

/** The name of the network, when it is one of those. */
export const foreignUpscaler = (w: Weights): string | undefined =>
  foreign.find(([, key]) => w.has(key))?.[0];
