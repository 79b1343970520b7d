/** Which modules of a network are trained: ComfyUI's node takes all, trainers' job files choose. */
import { sizeOf } from '../../array/nd.ts';
import type { WeightSource } from '../../weights/source.ts';
import { encoderNumber } from '../files/dialects.ts';
import { trainedFamily } from './families.ts';
import { type TrainedEncoder, type TrainedModule, ownPath } from './module.ts';
import { type Paths, modulePaths } from './paths.ts';
import { type Tree, encoderTree, inTree } from './trees.ts';

/** A job file's choice (`network` and `network_kwargs`). */
export interface LayerChoice {
  /** Convolutions with kernels of more than one number too. */
  readonly conv?: boolean;
  /** Only modules whose name, with dots or with underscores, holds one of these. */
  readonly onlyIfContains?: readonly string[];
  readonly ignoreIfContains?: readonly string[];
  /** These, of whatever kind, through a difference of their own size. */
  readonly fullIfContains?: readonly string[];
  /** Of transformers only what is inside their blocks; true when left out. */
  readonly transformerOnly?: boolean;
  /** Norms and embeddings as well, through differences of their own size. */
  readonly allLayers?: boolean;
  /** Modules of fewer numbers (weight and bias) are left. */
  readonly parameterThreshold?: number;
  /** Of matrices that are several modules to diffusers each is trained by itself, as ai-toolkit does. */
  readonly apart?: boolean;
}

/** A network as the choice sees it. */
interface Network {
  readonly tree: Tree;
  readonly paths: Paths;
  /** In front of the names that filters look at. */
  readonly prefix: string;
  /** Whether a module may be trained at all. */
  readonly inside: (module: string) => boolean;
  readonly encoder?: TrainedEncoder;
}

/**
 * The modules of a diffusion model (keys as in its `Model`) that are trained, in the order of ComfyUI's module
 * tree. `everything` is TrainLoraNode's rule: an adapter for every weight of two axes or more, offsets for every
 * other weight and every bias.
 */
export function trainedModules(
  source: WeightSource,
  family: { readonly name: string },
  choice: LayerChoice | 'everything',
): readonly TrainedModule[] {
  const row = trainedFamily(family.name);
  const { blocks, bare, tree, diffusers } = row;
  const network: Network = {
    tree,
    paths: modulePaths(row, source.tensors.keys()),
    prefix: diffusers === 'unet' ? 'lora_unet' : 'transformer',
    inside: (module) => blocks === undefined || blocks.includes(module.split('.')[0]),
  };
  const all = modulesOf(source, network);
  if (choice !== 'everything') return chosen(all, network, choice);
  return all
    .filter(({ key }) => !key.endsWith('.scale') && !bare?.test(ownPath({ key })))
    .map((module) => ({ ...module, as: module.shape.length > 1 ? 'adapter' : 'offset' }));
}

/** The linear layers in a text encoder's attention and feed-forward layers that a job file's choice takes. */
export function trainedEncoderModules(
  source: WeightSource,
  encoder: TrainedEncoder,
  choice: LayerChoice,
): readonly TrainedModule[] {
  const network: Network = {
    tree: encoderTree,
    paths: (module) => ({ path: module }),
    prefix: encoderNumber(encoder) ?? `text_encoders.${encoder.name}.transformer`,
    inside: (module) => !module.startsWith('visual.') && inLayers.test(module),
    encoder,
  };
  return chosen(modulesOf(source, network), network, { ...choice, transformerOnly: true });
}

const inLayers =
  /\.(self_attn|SelfAttention|attention|mlp|DenseReluDense|intermediate|output)\.(?!LayerNorm)/;

/** All modules that have a weight, in their order, with their bias if they have one. */
function modulesOf(
  { tensors }: WeightSource,
  { tree, paths, encoder }: Network,
): readonly TrainedModule[] {
  const keys = [...tensors.keys()].filter((key) => /\.(weight|scale)$/.test(key));
  return keys.sort(inTree(tree)).map((key) => {
    const { shape } = tensors.get(key)!;
    const bias = key.replace(/\.weight$/, '.bias');
    return {
      key,
      shape,
      as: 'offset',
      ...(bias !== key && tensors.has(bias) && { bias }),
      ...paths(ownPath({ key }), shape),
      ...(encoder && { encoder }),
    };
  });
}

function chosen(
  all: readonly TrainedModule[],
  { prefix, inside }: Network,
  choice: LayerChoice,
): readonly TrainedModule[] {
  const { transformerOnly = true, parameterThreshold = 0, apart = false } = choice;
  const has = (path: string, words: readonly string[] = []): boolean => {
    const name = `${prefix}.${path}`;
    return words.some((word) => name.includes(word) || name.replaceAll('.', '_').includes(word));
  };
  const wanted = ({ path, shape, bias }: TrainedModule): boolean =>
    !has(path, choice.ignoreIfContains) &&
    (choice.onlyIfContains === undefined || has(path, choice.onlyIfContains)) &&
    sizeOf(shape) + (bias === undefined ? 0 : shape[0]) >= parameterThreshold;

  return all.flatMap((module): readonly TrainedModule[] => {
    const own = ownPath(module);
    if (transformerOnly && !inside(own)) return [];
    const layer = layerOf(own, module.shape);
    if (has(module.path, choice.fullIfContains) || (layer === 'other' && choice.allLayers)) {
      return wanted(module) ? [module] : [];
    }
    if (layer === 'other' || (layer === 'conv' && !choice.conv)) return [];
    const each = apartOf(module);
    const taken = each.filter(wanted);
    const whole = taken.length === each.length && !apart;
    return (whole ? [module] : taken).map((taken) => ({
      ...taken,
      as: 'adapter',
      bias: undefined,
    }));
  });
}

/** The modules that share a matrix, each with its rows; a module that has its own as it is. */
const apartOf = (module: TrainedModule): readonly TrainedModule[] =>
  module.parts?.map(({ path, rows }) => ({
    ...module,
    path,
    rows,
    shape: [rows[1] - rows[0], ...module.shape.slice(1)],
    parts: undefined,
  })) ?? [module];

/** Whether a weight is a linear layer's (or a convolution's of one tap), a larger kernel's, or something else's. */
function layerOf(module: string, shape: readonly number[]): 'linear' | 'conv' | 'other' {
  if (shape.length < 2 || embeddings.test(module)) return 'other';
  return sizeOf(shape.slice(2)) === 1 ? 'linear' : 'conv';
}

/** Tables that are looked up, not multiplied by. */
const embeddings =
  /(^|\.)(\w*_embedding|embed|embed_tokens|style_embedder|shared|relative_attention_bias|\w+_embeddings)$|^label_emb$/;
