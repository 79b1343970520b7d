/**
 * What diffusers and its trainers call the modules of diffusion transformers whose single files name them
 * otherwise, or keep several of them in one matrix.
 */

/** Rows of a matrix of this shape that a name means. */
export type RowRange = (shape: readonly number[]) => readonly [start: number, end: number];

export interface ModuleName {
  readonly name: string;
  /** Left out: the whole matrix. */
  readonly rows?: RowRange;
}

type Names = readonly (string | readonly [name: string, rows: RowRange])[];

/** Modules of a file and diffusers' names for each, with `$1` for the number of their block. */
export type Modules = readonly (readonly [module: string, names: Names])[];

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

/** The layers of a gated feed-forward layer (Shazeer 2020). */
const gated = (ours: string, theirs: string): Modules => [
  [`${ours}.c_fc1`, [`${theirs}.linear_1`]],
  [`${ours}.c_fc2`, [`${theirs}.linear_2`]],
  [`${ours}.c_proj`, [`${theirs}.out_projection`]],
];

const qkv = (q: string, k: string, v: string): Names => [
  [q, squares(0, 1)],
  [k, squares(1, 2)],
  [v, squares(2, 3)],
];

/** Flux and FLUX.2. */
export const flux: Modules = [
  ...(['img', 'txt'] as const).flatMap((stream): Modules => {
    const block = 'transformer_blocks.$1';
    const isText = stream === 'txt';
    const at = (rest: string): string => `double_blocks.$1.${stream}_${rest}`;
    const [q, k, v] = isText
      ? ['add_q_proj', 'add_k_proj', 'add_v_proj']
      : ['to_q', 'to_k', 'to_v'];
    const ff = isText ? 'ff_context' : 'ff';
    return [
      [at('attn.qkv'), qkv(`${block}.attn.${q}`, `${block}.attn.${k}`, `${block}.attn.${v}`)],
      [at('attn.proj'), [`${block}.attn.${isText ? 'to_add_out' : 'to_out.0'}`]],
      [at('mod.lin'), [`${block}.${isText ? 'norm1_context' : 'norm1'}.linear`]],
      [at('mlp.0'), [`${block}.${ff}.net.0.proj`, `${block}.${ff}.linear_in`]],
      [at('mlp.2'), [`${block}.${ff}.net.2`, `${block}.${ff}.linear_out`]],
    ];
  }),
  [
    'single_blocks.$1.linear1',
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
    'single_blocks.$1.linear2',
    ['single_transformer_blocks.$1.proj_out', 'single_transformer_blocks.$1.attn.to_out'],
  ],
  ['single_blocks.$1.modulation.lin', ['single_transformer_blocks.$1.norm.linear']],
  ['img_in', ['x_embedder']],
  ['txt_in', ['context_embedder']],
  ['time_in.in_layer', ['time_text_embed.timestep_embedder.linear_1']],
  ['time_in.out_layer', ['time_text_embed.timestep_embedder.linear_2']],
  ['guidance_in.in_layer', ['time_text_embed.guidance_embedder.linear_1']],
  ['guidance_in.out_layer', ['time_text_embed.guidance_embedder.linear_2']],
  ['vector_in.in_layer', ['time_text_embed.text_embedder.linear_1']],
  ['vector_in.out_layer', ['time_text_embed.text_embedder.linear_2']],
  ['final_layer.linear', ['proj_out']],
];

/** Stable Diffusion 3. */
export const sd3: Modules = [
  ...(['x', 'context'] as const).flatMap((stream): Modules => {
    const block = 'transformer_blocks.$1';
    const isText = stream === 'context';
    const at = (rest: string): string => `joint_blocks.$1.${stream}_block.${rest}`;
    const [q, k, v] = isText
      ? ['add_q_proj', 'add_k_proj', 'add_v_proj']
      : ['to_q', 'to_k', 'to_v'];
    const ff = isText ? 'ff_context' : 'ff';
    return [
      [at('attn.qkv'), qkv(`${block}.attn.${q}`, `${block}.attn.${k}`, `${block}.attn.${v}`)],
      [at('attn.proj'), [`${block}.attn.${isText ? 'to_add_out' : 'to_out.0'}`]],
      [at('adaLN_modulation.1'), [`${block}.${isText ? 'norm1_context' : 'norm1'}.linear`]],
      [at('mlp.fc1'), [`${block}.${ff}.net.0.proj`]],
      [at('mlp.fc2'), [`${block}.${ff}.net.2`]],
    ];
  }),
  [
    'joint_blocks.$1.x_block.attn2.qkv',
    qkv(
      'transformer_blocks.$1.attn2.to_q',
      'transformer_blocks.$1.attn2.to_k',
      'transformer_blocks.$1.attn2.to_v',
    ),
  ],
  ['joint_blocks.$1.x_block.attn2.proj', ['transformer_blocks.$1.attn2.to_out.0']],
  ['t_embedder.mlp.0', ['time_text_embed.timestep_embedder.linear_1']],
  ['t_embedder.mlp.2', ['time_text_embed.timestep_embedder.linear_2']],
  ['y_embedder.mlp.0', ['time_text_embed.text_embedder.linear_1']],
  ['y_embedder.mlp.2', ['time_text_embed.text_embedder.linear_2']],
  ['x_embedder.proj', ['pos_embed.proj']],
  ['final_layer.linear', ['proj_out']],
];

/** AuraFlow. */
export const auraFlow: Modules = [
  ...(['x', 'c'] as const).flatMap((stream): Modules => {
    const block = 'joint_transformer_blocks.$1';
    const isText = stream === 'c';
    const names = isText
      ? { q: 'add_q_proj', k: 'add_k_proj', v: 'add_v_proj', o: 'to_add_out' }
      : { q: 'to_q', k: 'to_k', v: 'to_v', o: 'to_out.0' };
    const [number, letter] = isText ? [1, 'C'] : [2, 'X'];
    return [
      ...Object.entries(names).map(([which, name]): Modules[number] => [
        `double_layers.$1.attn.w${number}${which}`,
        [`${block}.attn.${name}`],
      ]),
      ...gated(`double_layers.$1.mlp${letter}`, `${block}.${isText ? 'ff_context' : 'ff'}`),
      [
        `double_layers.$1.mod${letter}.1`,
        [`${block}.${isText ? 'norm1_context' : 'norm1'}.linear`],
      ],
    ];
  }),
  ...Object.entries({ q: 'to_q', k: 'to_k', v: 'to_v', o: 'to_out.0' }).map(
    ([which, name]): Modules[number] => [
      `single_layers.$1.attn.w1${which}`,
      [`single_transformer_blocks.$1.attn.${name}`],
    ],
  ),
  ...gated('single_layers.$1.mlp', 'single_transformer_blocks.$1.ff'),
  ['single_layers.$1.modCX.1', ['single_transformer_blocks.$1.norm1.linear']],
  ['t_embedder.mlp.0', ['time_step_proj.linear_1']],
  ['t_embedder.mlp.2', ['time_step_proj.linear_2']],
  ['cond_seq_linear', ['context_embedder']],
  ['init_x_linear', ['pos_embed.proj']],
  ['final_linear', ['proj_out']],
];

/** Lumina 2 and Z-Image. */
export const lumina: Modules = [
  ...['layers', 'noise_refiner', 'context_refiner', 'siglip_refiner'].flatMap((part): Modules => [
    [
      `${part}.$1.attention.qkv`,
      [
        [`${part}.$1.attention.to_q`, squares(0, 1)],
        [`${part}.$1.attention.to_k`, shared(0)],
        [`${part}.$1.attention.to_v`, shared(1)],
      ],
    ],
    [`${part}.$1.attention.out`, [`${part}.$1.attention.to_out.0`]],
  ]),
  ['final_layer.linear', ['all_final_layer.2-1.linear']],
  ['final_layer.adaLN_modulation.1', ['all_final_layer.2-1.adaLN_modulation.1']],
  ['x_embedder', ['all_x_embedder.2-1']],
];

/** Lumina 2, which diffusers names otherwise than Z-Image. */
export const lumina2: Modules = [
  ...['layers', 'noise_refiner', 'context_refiner'].flatMap((part): Modules => [
    [
      `${part}.$1.attention.qkv`,
      [
        [`${part}.$1.attn.to_q`, squares(0, 1)],
        [`${part}.$1.attn.to_k`, shared(0)],
        [`${part}.$1.attn.to_v`, shared(1)],
      ],
    ],
    [`${part}.$1.attention.out`, [`${part}.$1.attn.to_out.0`]],
    ...[1, 2, 3].map((layer): Modules[number] => [
      `${part}.$1.feed_forward.w${layer}`,
      [`${part}.$1.feed_forward.linear_${layer}`],
    ]),
    [`${part}.$1.adaLN_modulation.1`, [`${part}.$1.norm1.linear`]],
  ]),
  ['t_embedder.mlp.0', ['time_caption_embed.timestep_embedder.linear_1']],
  ['t_embedder.mlp.2', ['time_caption_embed.timestep_embedder.linear_2']],
  ['cap_embedder.1', ['time_caption_embed.caption_embedder.1']],
  ['final_layer.adaLN_modulation.1', ['norm_out.linear_1']],
  ['final_layer.linear', ['norm_out.linear_2']],
];

/** PixArt. */
export const pixArt: Modules = [
  ['x_embedder.proj', ['pos_embed.proj']],
  ['y_embedder.y_proj.fc1', ['caption_projection.linear_1']],
  ['y_embedder.y_proj.fc2', ['caption_projection.linear_2']],
  ...Object.entries({
    t_embedder: 'timestep_embedder',
    csize_embedder: 'resolution_embedder',
    ar_embedder: 'aspect_ratio_embedder',
  }).flatMap(([ours, theirs]): Modules => [
    [`${ours}.mlp.0`, [`adaln_single.emb.${theirs}.linear_1`]],
    [`${ours}.mlp.2`, [`adaln_single.emb.${theirs}.linear_2`]],
  ]),
  ['t_block.1', ['adaln_single.linear']],
  [
    'blocks.$1.attn.qkv',
    qkv(
      'transformer_blocks.$1.attn1.to_q',
      'transformer_blocks.$1.attn1.to_k',
      'transformer_blocks.$1.attn1.to_v',
    ),
  ],
  ['blocks.$1.attn.proj', ['transformer_blocks.$1.attn1.to_out.0']],
  ['blocks.$1.cross_attn.q_linear', ['transformer_blocks.$1.attn2.to_q']],
  [
    'blocks.$1.cross_attn.kv_linear',
    [
      ['transformer_blocks.$1.attn2.to_k', part(0, 2)],
      ['transformer_blocks.$1.attn2.to_v', part(1, 2)],
    ],
  ],
  ['blocks.$1.cross_attn.proj', ['transformer_blocks.$1.attn2.to_out.0']],
  ['blocks.$1.mlp.fc1', ['transformer_blocks.$1.ff.net.0.proj']],
  ['blocks.$1.mlp.fc2', ['transformer_blocks.$1.ff.net.2']],
  ['final_layer.linear', ['proj_out']],
];

/** Hunyuan's transformers, as Tencent names them. */
const hunyuan: Modules = [
  ...['img', 'txt'].flatMap((stream): Modules => {
    const at = (rest: string): string => `double_blocks.$1.${stream}_${rest}`;
    return [
      [at('attn.qkv'), [at('attn_qkv')]],
      [at('attn.proj'), [at('attn_proj')]],
      [at('mod.lin'), [at('mod.linear')]],
      [at('mlp.0'), [at('mlp.fc1')]],
      [at('mlp.2'), [at('mlp.fc2')]],
    ];
  }),
  ['single_blocks.$1.modulation.lin', ['single_blocks.$1.modulation.linear']],
  ...([0, 2] as const).map((layer, i): Modules[number] => {
    const mlp = 'txt_in.individual_token_refiner.blocks.$1.mlp';
    return [`${mlp}.${layer}`, [`${mlp}.fc${i + 1}`]];
  }),
];

type Rule = readonly [pattern: RegExp, names: Names];

const rulesOf = (modules: Modules): readonly Rule[] =>
  modules.map(([module, names]) => [pattern(module), names] as const);

const rules = rulesOf([...flux, ...sd3, ...auraFlow, ...lumina, ...lumina2, ...pixArt, ...hunyuan]);

/** Modules of this name, whatever their block's number. */
function pattern(module: string): RegExp {
  const escaped = module.replaceAll('.', '\\.').replace('$1', '(\\d+)');
  return new RegExp(`^${escaped}$`);
}

/** Families whose files have diffusers' names already. */
const same: readonly RegExp[] = [
  /^transformer_blocks\.\d+\./, // Qwen-Image
  /^(img_in|txt_in|proj_out)$/, // Qwen-Image
  /^(time_text_embed|norm_out|time_caption_embed)\./, // Qwen-Image, OmniGen2
  /^(context_embedder|(ref_image_patch|x)_embedder)$/, // SD3, OmniGen2
  /^cap_embedder\.\d+$/, // Lumina 2, Z-Image
  /^(double|single)_stream_blocks\.\d+\./, // HiDream
  /^(caption_projection|[tpx]_embedder|final_layer)\./, // HiDream, HunyuanDiT
  /^(blocks\.\d+|mlp_t5|extra_embedder|pooler)\./, // HunyuanDiT
  /^(layers|noise_refiner|context_refiner|siglip_refiner|ref_image_refiner)\.\d+\./, // Lumina 2, Z-Image, OmniGen2
];

/** The other names of a module; none for modules of other networks. */
export function transformerModuleNames(module: string): readonly ModuleName[] {
  const own = same.some((pattern) => pattern.test(module)) ? [{ name: module }] : [];
  return [...own, ...namesBy(rules, module)];
}

/** The names that one family's table has for modules. */
export function namesIn(modules: Modules): (module: string) => readonly ModuleName[] {
  const own = rulesOf(modules);
  return (module) => namesBy(own, module);
}

function namesBy(rules: readonly Rule[], module: string): readonly ModuleName[] {
  return rules.flatMap(([pattern, names]) =>
    pattern.test(module)
      ? names.map((entry): ModuleName => {
          const [name, rows] = typeof entry === 'string' ? [entry] : entry;
          return { name: module.replace(pattern, name), rows };
        })
      : [],
  );
}
