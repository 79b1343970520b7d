/**
 * The order of a network's modules. Files have their tensors in any order; the order that counts is that of
 * ComfyUI's module trees (its state dicts), which decides who draws which random numbers.
 */

/** Names of siblings in the order they stand in, wherever in the network they are siblings. */
export type Tree = readonly string[];

const tree = (...levels: readonly string[]): Tree => levels.flatMap((level) => level.split(' '));

export const unetTree = tree(
  'time_embed label_emb input_blocks middle_block output_blocks out',
  'in_layers emb_layers out_layers skip_connection',
  'norm proj_in transformer_blocks proj_out',
  'norm_in ff_in attn1 ff attn2 norm2 norm1 norm3',
  'to_q to_k to_v to_out',
);

export const cascadeTree = tree(
  'effnet_mapper pixels_mapper clip_txt_mapper clip_txt_pooled_mapper clip_img_mapper clip_mapper',
  'clip_norm embedding down_blocks down_downscalers up_blocks up_upscalers up_repeat_mappers clf',
  'depthwise norm channelwise mapper mapper_sca mapper_crp attention kv_mapper',
  'to_q to_k to_v out_proj',
);

/** The blocks of Flux and of what is made of them. */
const doubleBlock = [
  'img_mod img_norm1 img_attn img_norm2 img_mlp txt_mod txt_norm1 txt_attn txt_norm2 txt_mlp',
  'qkv norm proj query_norm key_norm gate_proj up_proj down_proj',
];
const singleBlock = 'linear1 linear2 norm pre_norm modulation';
const finalLayer = 'norm_final linear adaLN_modulation';

export const fluxTree = tree(
  'img_in time_in vector_in guidance_in txt_in txt_norm double_blocks single_blocks final_layer',
  'double_stream_modulation_img double_stream_modulation_txt single_stream_modulation',
  'in_layer out_layer',
  ...doubleBlock,
  singleBlock,
  finalLayer,
);

export const chromaTree = tree(
  'img_in img_in_patch txt_in distilled_guidance_layer double_blocks single_blocks final_layer',
  'nerf_image_embedder nerf_blocks nerf_final_layer nerf_final_layer_conv',
  'in_proj layers norms out_proj in_layer out_layer',
  ...doubleBlock,
  singleBlock,
  finalLayer,
);

export const hunyuanTree = tree(
  'img_in time_in vector_in guidance_in txt_in double_blocks single_blocks byt5_in time_r_in',
  'final_layer vision_in',
  'in_layer out_layer input_embedder t_embedder c_embedder individual_token_refiner',
  finalLayer,
  'norm1 self_attn norm2 mlp',
  ...doubleBlock,
  singleBlock,
  'layernorm fc1 fc2 fc3',
);

export const sd3Tree = tree(
  'x_embedder t_embedder y_embedder context_embedder joint_blocks final_layer',
  'context_block x_block norm1 attn attn2 norm2 mlp qkv ln_q ln_k proj fc1 fc2',
  finalLayer,
);

export const auraFlowTree = tree(
  't_embedder cond_seq_linear init_x_linear double_layers single_layers final_linear modF',
  'normC1 normC2 mlpC modC normX1 normX2 mlpX modX norm1 norm2 modCX attn mlp',
  'c_fc1 c_fc2 c_proj w1q w1k w1v w1o w2q w2k w2v w2o q_norm1 k_norm1 q_norm2 k_norm2',
);

export const luminaTree = tree(
  'x_embedder noise_refiner context_refiner t_embedder cap_embedder',
  'layers norm_final siglip_embedder siglip_refiner final_layer',
  'attention feed_forward attention_norm1 ffn_norm1 attention_norm2 ffn_norm2',
  'qkv out q_norm k_norm w1 w2 w3 linear adaLN_modulation',
);

export const omniGen2Tree = tree(
  'x_embedder ref_image_patch_embedder time_caption_embed noise_refiner ref_image_refiner',
  'context_refiner layers norm_out timestep_embedder caption_embedder linear_1',
  'attn feed_forward norm1 ffn_norm1 norm2 ffn_norm2',
  'to_q to_k to_v norm_q norm_k to_out linear norm linear_2 linear_3',
);

export const qwenTree = tree(
  'time_text_embed txt_norm img_in txt_in transformer_blocks norm_out proj_out',
  'timestep_embedder addition_t_embedding linear_1 linear_2',
  'img_mod img_norm1 img_norm2 img_mlp txt_mod txt_norm1 txt_norm2 txt_mlp attn',
  'norm_q norm_k norm_added_q norm_added_k',
  'to_q to_k to_v add_q_proj add_k_proj add_v_proj to_out to_add_out linear norm',
);

export const hiDreamTree = tree(
  't_embedder p_embedder x_embedder double_stream_blocks single_stream_blocks final_layer',
  'caption_projection linear_1 linear_2',
  'to_q to_k to_v to_out q_rms_norm k_rms_norm',
  'to_q_t to_k_t to_v_t to_out_t q_rms_norm_t k_rms_norm_t',
  'shared_experts experts gate w1 w2 w3',
  finalLayer,
  'norm1_i norm1_t attn1 norm3_i ff_i norm3_t ff_t',
);

export const hunyuanDitTree = tree(
  'mlp_t5 pooler x_embedder t_embedder style_embedder extra_embedder blocks final_layer',
  'norm1 attn1 norm2 mlp default_modulation attn2 norm3 skip_norm skip_linear',
  'Wqkv k_proj q_proj v_proj c_proj kv_proj q_norm k_norm out_proj fc1 fc2',
  finalLayer,
);

export const pixArtTree = tree(
  't_block x_embedder t_embedder y_embedder csize_embedder ar_embedder blocks final_layer',
  'norm1 attn cross_attn norm2 mlp qkv q_linear kv_linear proj fc1 fc2',
  'norm_final linear',
);

export const cosmosTree = tree(
  't_embedder x_embedder blocks final_layer t_embedding_norm linear_1 linear_2',
  'layer_norm_self_attn self_attn layer_norm_cross_attn cross_attn layer_norm_mlp mlp',
  'adaln_modulation_self_attn adaln_modulation_cross_attn adaln_modulation_mlp',
  'q_proj q_norm k_proj k_norm v_proj output_proj layer1 layer2',
  'layer_norm linear adaln_modulation',
);

/** Text encoders: CLIP, T5, BERT and language models. */
export const encoderTree = tree(
  'text_model shared encoder model bert embeddings embed_tokens layers block layer',
  'layer_norm1 input_layernorm self_attn SelfAttention attention post_attention_layernorm layer_norm2',
  'DenseReluDense mlp intermediate output',
  'q_proj k_proj v_proj out_proj q k v o self query key value o_proj q_norm k_norm',
  'fc1 fc2 wi_0 wi_1 wi wo gate_proj up_proj down_proj dense LayerNorm',
  'final_layer_norm norm text_projection',
);

/** Compares dotted names by where they stand in a tree; numbers count up, names it does not know come last. */
export function inTree(tree: Tree): (a: string, b: string) => number {
  const places = new Map(tree.map((name, i) => [name, i]));
  const place = (name: string): number =>
    /^\d+$/.test(name) ? -1 : (places.get(name) ?? Infinity);
  const compare = (a: string, b: string): number => {
    const [p, q] = [place(a), place(b)];
    if (p !== q) return p < q ? -1 : 1;
    if (p === -1) return Number(a) - Number(b);
    return a === b ? 0 : a < b ? -1 : 1;
  };
  return (a, b) => {
    const [left, right] = [a.split('.'), b.split('.')];
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const order = compare(left[i], right[i]);
      if (order !== 0) return order;
    }
    return left.length - right.length;
  };
}
