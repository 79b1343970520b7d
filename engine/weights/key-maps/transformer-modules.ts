/**
 * What diffusers and its trainers call the modules of diffusion transformers whose single files name them
 * otherwise, or keep several of them in one matrix.
 */

import { pixArtModules } from './diffusers-pixart.ts';

/** Rows of a matrix of this shape that a name means. */
export type RowRange = (shape: readonly number[]) => readonly [start: number, end: number];

export interface ModuleName {
  readonly name: string;
  /** Left out: the whole matrix. */
  readonly rows?: RowRange;
}

type Names = readonly (string | readonly [name: string, rows: RowRange])[];

/** The part of a matrix of so many squares on top of one another, from one to another. */
const squares =
  (start: number, end: number): RowRange =>
  ([, width]) => [start * width, end * width];

/** From so many squares on. */
const behind =
  (start: number): RowRange =>
  ([rows, width]) => [start * width, rows];

/** One of so many equal parts. */
const part =
  (index: number, count: number): RowRange =>
  ([rows]) => [(index * rows) / count, ((index + 1) * rows) / count];

/** Keys and values of grouped queries share what is left beside the queries' square. */
const shared =
  (index: 0 | 1): RowRange =>
  ([rows, width]) => {
    const size = (rows - width) / 2;
    return [width + index * size, width + (index + 1) * size];
  };

const qkv = (q: string, k: string, v: string): Names => [
  [q, squares(0, 1)],
  [k, squares(1, 2)],
  [v, squares(2, 3)],
];

/** Module of a file (its block's number as `$1`, after it the rest) to diffusers' names. */
const rules: readonly (readonly [module: RegExp, names: Names])[] = [
  // Flux and FLUX.2
  ...(['img', 'txt'] as const).flatMap((stream): [RegExp, Names][] => {
    const block = 'transformer_blocks.$1';
    const isText = stream === 'txt';
    const at = (rest: string): RegExp => new RegExp(`^double_blocks\\.(\\d+)\\.${stream}_${rest}$`);
    const [q, k, v] = isText
      ? ['add_q_proj', 'add_k_proj', 'add_v_proj']
      : ['to_q', 'to_k', 'to_v'];
    const ff = isText ? 'ff_context' : 'ff';
    return [
      [at('attn\\.qkv'), qkv(`${block}.attn.${q}`, `${block}.attn.${k}`, `${block}.attn.${v}`)],
      [at('attn\\.proj'), [`${block}.attn.${isText ? 'to_add_out' : 'to_out.0'}`]],
      [at('mod\\.lin'), [`${block}.${isText ? 'norm1_context' : 'norm1'}.linear`]],
      [at('mlp\\.0'), [`${block}.${ff}.net.0.proj`, `${block}.${ff}.linear_in`]],
      [at('mlp\\.2'), [`${block}.${ff}.net.2`, `${block}.${ff}.linear_out`]],
    ];
  }),
  [
    /^single_blocks\.(\d+)\.linear1$/,
    [
      ...qkv(
        'single_transformer_blocks.$1.attn.to_q',
        'single_transformer_blocks.$1.attn.to_k',
        'single_transformer_blocks.$1.attn.to_v',
      ),
      ['single_transformer_blocks.$1.proj_mlp', behind(3)],
      'single_transformer_blocks.$1.attn.to_qkv_mlp_proj',
      ['single_blocks.$1.linear1_qkv', squares(0, 3)],
    ],
  ],
  [
    /^single_blocks\.(\d+)\.linear2$/,
    ['single_transformer_blocks.$1.proj_out', 'single_transformer_blocks.$1.attn.to_out'],
  ],
  [/^single_blocks\.(\d+)\.modulation\.lin$/, ['single_transformer_blocks.$1.norm.linear']],
  [/^img_in$/, ['x_embedder']],
  [/^txt_in$/, ['context_embedder']],
  [/^time_in\.in_layer$/, ['time_text_embed.timestep_embedder.linear_1']],
  [/^time_in\.out_layer$/, ['time_text_embed.timestep_embedder.linear_2']],
  [/^guidance_in\.in_layer$/, ['time_text_embed.guidance_embedder.linear_1']],
  [/^guidance_in\.out_layer$/, ['time_text_embed.guidance_embedder.linear_2']],
  [/^vector_in\.in_layer$/, ['time_text_embed.text_embedder.linear_1']],
  [/^vector_in\.out_layer$/, ['time_text_embed.text_embedder.linear_2']],
  [/^final_layer\.linear$/, ['proj_out']],
  // Hunyuan's transformers, as Tencent names them
  [/^(double_blocks\.\d+\.(?:img|txt)_attn)\.(qkv|proj)$/, ['$1_$2']],
  [/^(double_blocks\.\d+\.(?:img|txt)_mod)\.lin$/, ['$1.linear']],
  [/^(single_blocks\.\d+\.modulation)\.lin$/, ['$1.linear']],
  ...([0, 2] as const).map((layer, i): [RegExp, Names] => [
    new RegExp(`^(double_blocks\\.\\d+\\.\\w+_mlp|txt_in\\..*\\.mlp)\\.${layer}$`),
    [`$1.fc${i + 1}`],
  ]),
  // Stable Diffusion 3
  ...(['x', 'context'] as const).flatMap((stream): [RegExp, Names][] => {
    const block = 'transformer_blocks.$1';
    const isText = stream === 'context';
    const at = (rest: string): RegExp =>
      new RegExp(`^joint_blocks\\.(\\d+)\\.${stream}_block\\.${rest}$`);
    const [q, k, v] = isText
      ? ['add_q_proj', 'add_k_proj', 'add_v_proj']
      : ['to_q', 'to_k', 'to_v'];
    const ff = isText ? 'ff_context' : 'ff';
    return [
      [at('attn\\.qkv'), qkv(`${block}.attn.${q}`, `${block}.attn.${k}`, `${block}.attn.${v}`)],
      [at('attn\\.proj'), [`${block}.attn.${isText ? 'to_add_out' : 'to_out.0'}`]],
      [at('attn2\\.qkv'), qkv(`${block}.attn2.to_q`, `${block}.attn2.to_k`, `${block}.attn2.to_v`)],
      [at('attn2\\.proj'), [`${block}.attn2.to_out.0`]],
      [at('adaLN_modulation\\.1'), [`${block}.${isText ? 'norm1_context' : 'norm1'}.linear`]],
      [at('mlp\\.fc1'), [`${block}.${ff}.net.0.proj`]],
      [at('mlp\\.fc2'), [`${block}.${ff}.net.2`]],
    ];
  }),
  // Lumina 2 and Z-Image
  [
    /^((?:layers|noise_refiner|context_refiner)\.\d+)\.attention\.qkv$/,
    [
      ['$1.attention.to_q', squares(0, 1)],
      ['$1.attention.to_k', shared(0)],
      ['$1.attention.to_v', shared(1)],
    ],
  ],
  [/^((?:layers|noise_refiner|context_refiner)\.\d+)\.attention\.out$/, ['$1.attention.to_out.0']],
  // PixArt
  ...pixArtModules.map(([ours, theirs]): [RegExp, Names] => {
    const pattern = ours.replaceAll('.', '\\.').replace('N', '(\\d+)');
    return [new RegExp(`^${pattern}$`), [theirs.replace('N', '$1')]];
  }),
  [
    /^blocks\.(\d+)\.attn\.qkv$/,
    qkv(
      'transformer_blocks.$1.attn1.to_q',
      'transformer_blocks.$1.attn1.to_k',
      'transformer_blocks.$1.attn1.to_v',
    ),
  ],
  [
    /^blocks\.(\d+)\.cross_attn\.kv_linear$/,
    [
      ['transformer_blocks.$1.attn2.to_k', part(0, 2)],
      ['transformer_blocks.$1.attn2.to_v', part(1, 2)],
    ],
  ],
];

/** Families whose files have diffusers' names already. */
const same: readonly RegExp[] = [
  /^transformer_blocks\.\d+\./, // Qwen-Image
  /^(double|single)_stream_blocks\.\d+\./, // HiDream
  /^(caption_projection|[tpx]_embedder|final_layer)\./, // HiDream, HunyuanDiT
  /^(blocks\.\d+|mlp_t5|extra_embedder|pooler)\./, // HunyuanDiT
  /^(layers|noise_refiner|context_refiner|ref_image_refiner)\.\d+\./, // Lumina 2, Z-Image, OmniGen2
];

/** The other names of a module; none for modules of other networks. */
export function transformerModuleNames(module: string): readonly ModuleName[] {
  const own = same.some((pattern) => pattern.test(module)) ? [{ name: module }] : [];
  const others = rules.flatMap(([pattern, names]) =>
    pattern.test(module)
      ? names.map((entry): ModuleName => {
          const [name, rows] = typeof entry === 'string' ? [entry] : entry;
          return { name: module.replace(pattern, name), rows };
        })
      : [],
  );
  return [...own, ...others];
}
