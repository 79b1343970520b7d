/**
 * Diffusion transformers as the diffusers library saves them, under the names of single files: Flux, Stable
 * Diffusion 3, AuraFlow, PixArt, Z-Image, and ControlNets made of their blocks. Matrices that single files keep as one
 * stay the parts that they are in the file.
 */
import { NoodleError } from '../../errors.ts';
import { type WeightEntry, type WeightSource, joinedRows, rowsOf } from '../source.ts';
import { type Modules, auraFlow, flux, lumina, pixArt, sd3 } from './transformer-modules.ts';

interface Layout {
  readonly name: string;
  /** Keys that all files of this layout have. */
  readonly marks: readonly string[];
  readonly modules: Modules;
  /** Parameters besides: our key, theirs. */
  readonly others: readonly (readonly [ours: string, theirs: string])[];
  /** Our modules whose halves, shift and scale, lie the other way round. */
  swapped(source: WeightSource): readonly string[];
}

/** The norms of queries and keys: in front of ours, in front of theirs. */
const headNorms = (
  places: readonly (readonly [ours: string, theirs: string])[],
  names: readonly (readonly [ours: string, theirs: string])[],
): [string, string][] =>
  places.flatMap(([ours, theirs]) =>
    names.map(([own, other]): [string, string] => [ours + own, `${theirs}${other}.weight`]),
  );

/** In the order they are tried. */
const layouts: readonly Layout[] = [
  {
    name: 'auraflow',
    marks: ['joint_transformer_blocks.0.attn.add_k_proj.weight'],
    modules: [...auraFlow, ['modF.1', ['norm_out.linear']]],
    others: [['positional_encoding', 'pos_embed.pos_embed']],
    swapped: () => ['modF.1'],
  },
  {
    name: 'flux',
    marks: ['x_embedder.weight', 'transformer_blocks.0.attn.add_q_proj.weight'],
    modules: [
      ...flux,
      ['final_layer.adaLN_modulation.1', ['norm_out.linear']],
      ['pos_embed_input', ['controlnet_x_embedder']],
    ],
    others: headNorms(
      [
        ['double_blocks.$1.img_attn.norm.', 'transformer_blocks.$1.attn.norm_'],
        ['double_blocks.$1.txt_attn.norm.', 'transformer_blocks.$1.attn.norm_added_'],
        ['single_blocks.$1.norm.', 'single_transformer_blocks.$1.attn.norm_'],
      ],
      [
        ['query_norm.scale', 'q'],
        ['key_norm.scale', 'k'],
      ],
    ),
    swapped: () => ['final_layer.adaLN_modulation.1'],
  },
  {
    name: 'z-image',
    marks: ['noise_refiner.0.attention.norm_k.weight'],
    modules: [
      ...lumina,
      ['final_layer.linear', ['all_final_layer.2-1.linear']],
      ['final_layer.adaLN_modulation.1', ['all_final_layer.2-1.adaLN_modulation.1']],
      ['x_embedder', ['all_x_embedder.2-1']],
    ],
    others: headNorms(
      ['layers', 'noise_refiner', 'context_refiner'].map((part) => [
        `${part}.$1.attention.`,
        `${part}.$1.attention.norm_`,
      ]),
      [
        ['q_norm.weight', 'q'],
        ['k_norm.weight', 'k'],
      ],
    ),
    swapped: () => [],
  },
  {
    name: 'pixart',
    marks: ['adaln_single.emb.timestep_embedder.linear_1.bias', 'pos_embed.proj.bias'],
    modules: pixArt,
    others: [
      ['y_embedder.y_embedding', 'caption_projection.y_embedding'],
      ['blocks.$1.scale_shift_table', 'transformer_blocks.$1.scale_shift_table'],
      ['final_layer.scale_shift_table', 'scale_shift_table'],
    ],
    swapped: () => [],
  },
  {
    name: 'sd3',
    marks: ['transformer_blocks.0.attn.add_q_proj.weight', 'pos_embed.proj.weight'],
    modules: [...sd3, ['final_layer.adaLN_modulation.1', ['norm_out.linear']]],
    others: [
      ['pos_embed', 'pos_embed.pos_embed'],
      ...headNorms(
        [
          ['joint_blocks.$1.x_block.attn.', 'transformer_blocks.$1.attn.norm_'],
          ['joint_blocks.$1.x_block.attn2.', 'transformer_blocks.$1.attn2.norm_'],
          ['joint_blocks.$1.context_block.attn.', 'transformer_blocks.$1.attn.norm_added_'],
        ],
        [
          ['ln_q.weight', 'q'],
          ['ln_k.weight', 'k'],
        ],
      ),
    ],
    swapped(source) {
      // whole models have a block for each head of 64 numbers; in the last one the text's part ends
      const depth = source.tensors.get('pos_embed.proj.weight')!.shape[0] / 64;
      const last = `joint_blocks.${depth - 1}.context_block.adaLN_modulation.1`;
      return ['final_layer.adaLN_modulation.1', last];
    },
  },
  {
    name: 'sd35-controlnet',
    marks: ['transformer_blocks.0.adaLN_modulation.1.weight', 'pos_embed_input.proj.weight'],
    modules: sd3.filter(([module]) => !module.includes('$1')),
    others: [],
    swapped: () => [],
  },
];

/**
 * The source under the names of single files; itself where it has no such layout. Throws WEIGHTS_MISSING where
 * a matrix lacks one of its parts.
 */
export function fromDiffusersTransformer(source: WeightSource): WeightSource {
  const layout = layouts.find(({ marks }) => marks.every((key) => source.tensors.has(key)));
  if (!layout) return source;
  const left = new Map(source.tensors);
  const made = new Map<string, WeightEntry>();
  const take = (key: string): WeightEntry => {
    const entry = source.tensors.get(key);
    if (!entry) throw new NoodleError('WEIGHTS_MISSING', { file: source.label, key });
    left.delete(key);
    return entry;
  };
  const numbers = blockNumbers(source);
  const eachBlock = (key: string, act: (numbered: (name: string) => string) => void): void => {
    for (const number of key.includes('$1') ? numbers : ['']) {
      act((name) => name.replace('$1', number));
    }
  };
  for (const [module, names] of layout.modules) {
    eachBlock(module, (numbered) => {
      for (const end of ['weight', 'bias']) {
        const all = names.map((name) => {
          const isPart = typeof name !== 'string';
          return { isPart, key: `${numbered(isPart ? name[0] : name)}.${end}` };
        });
        const there = all.filter(({ key }) => source.tensors.has(key));
        const whole = there.find(({ isPart }) => !isPart);
        // where there is one of q, k and v there are all
        const parts = new Set([...all.slice(0, 3), ...there]);
        if (whole) made.set(`${numbered(module)}.${end}`, take(whole.key));
        else if (there.length > 0) {
          const entries = [...parts].map(({ key }) => take(key));
          made.set(`${numbered(module)}.${end}`, joinedRows(entries));
        }
      }
    });
  }
  for (const [ours, theirs] of layout.others) {
    eachBlock(ours, (numbered) => {
      if (source.tensors.has(numbered(theirs))) made.set(numbered(ours), take(numbered(theirs)));
    });
  }
  for (const module of layout.swapped(source)) {
    for (const key of [`${module}.weight`, `${module}.bias`]) {
      const entry = made.get(key);
      if (entry) made.set(key, halvesSwapped(entry));
    }
  }
  const { label, identity, metadata } = source;
  const tensors = new Map([...left, ...made]);
  return { label, identity: `${identity}|diffusers-${layout.name}`, tensors, metadata };
}

function halvesSwapped(entry: WeightEntry): WeightEntry {
  const [rows] = entry.shape;
  const half = Math.floor(rows / 2);
  return joinedRows([rowsOf(entry, half, rows), rowsOf(entry, 0, half)]);
}

/** The numbers that blocks have, as they are written. */
const blockNumbers = ({ tensors }: WeightSource): ReadonlySet<string> =>
  new Set([...tensors.keys()].flatMap((key) => /\.(\d+)\./.exec(key)?.[1] ?? []));
