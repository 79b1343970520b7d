/** Efficiency Nodes: a checkpoint with prompts in one node, sampling with the picture in another; both become ComfyUI's own. */
import {
  combo,
  conditioning,
  float,
  int,
  int64,
  isLink,
  latent,
  model,
  optional,
  samplerNames,
  schedulerNames,
  socket,
  string,
  vae,
} from 'noodle/node';
import type { Context, InputSpec, NodeDefinition, NodeResult } from 'noodle/node';
import { LIMIT, MAX_RESOLUTION, inCategory } from './define.ts';
import { loadInto } from './loras.ts';
import type { Stack } from './lora-stacks.ts';

const loaders = inCategory('Efficiency Nodes/Loaders');
const sampling = inCategory('Efficiency Nodes/Sampling');

const BAKED = 'Baked VAE';
const strength = () => float({ default: 1, min: -10, max: 10, step: 0.01 });
const side = () => int({ default: 512, min: 64, max: MAX_RESOLUTION, step: 64 });

const efficientLoader = loaders({
  name: 'Efficient Loader',
  description: 'A checkpoint with LoRAs, its prompts and an empty latent.',
  inputs: {
    ckpt_name: combo((source) => source.modelFiles('checkpoints')),
    vae_name: combo((source) => [BAKED, ...source.modelFiles('vae')]),
    clip_skip: int({ default: -1, min: -24, max: -1, step: 1 }),
    lora_name: combo((source) => ['None', ...source.modelFiles('loras')]),
    lora_model_strength: strength(),
    lora_clip_strength: strength(),
    positive: string({ default: 'CLIP_POSITIVE', multiline: true }),
    negative: string({ default: 'CLIP_NEGATIVE', multiline: true }),
    token_normalization: combo(['none', 'mean', 'length', 'length+mean'] as const),
    weight_interpretation: combo(['comfy', 'A1111', 'compel', 'comfy++', 'down_weight'] as const),
    empty_latent_width: side(),
    empty_latent_height: side(),
    batch_size: int({ default: 1, min: 1, max: 262144 }),
    lora_stack: optional(socket<Stack | null>('LORA_STACK')),
    cnet_stack: optional(socket<unknown>('CONTROL_NET_STACK')),
  },
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'CONDITIONING', name: 'CONDITIONING+' },
    { type: 'CONDITIONING', name: 'CONDITIONING-' },
    { type: 'LATENT', name: 'LATENT' },
    { type: 'VAE', name: 'VAE' },
    { type: 'CLIP', name: 'CLIP' },
    { type: 'DEPENDENCIES', name: 'DEPENDENCIES' },
  ],
  run({ lora_stack, cnet_stack, ...inputs }, context) {
    refuse('token_normalization', inputs.token_normalization, 'none');
    refuse('weight_interpretation', inputs.weight_interpretation, 'comfy');
    if (cnet_stack) throw new RangeError('cnet_stack: apply ControlNets with a node of their own');
    const graph = context.newGraph();
    const loaded = graph.node('CheckpointLoaderSimple', { ckpt_name: inputs.ckpt_name });
    const own = [inputs.lora_name, inputs.lora_model_strength, inputs.lora_clip_strength] as const;
    const loras = [...(inputs.lora_name === 'None' ? [] : [own]), ...(lora_stack ?? [])];
    const rows = loras.map(([name, model, clip]) => ({ name, model, clip }));
    const start = { model: loaded.out(0), clip: loaded.out(1) };
    const [model, encoders] = loadInto(graph, start, rows);
    const layer = { clip: encoders, stop_at_clip_layer: inputs.clip_skip };
    const clip = graph.node('CLIPSetLastLayer', layer).out(0);
    const [positive, negative] = [inputs.positive, inputs.negative].map((text) =>
      graph.node('CLIPTextEncode', { text, clip }).out(0),
    );
    const width = inputs.empty_latent_width;
    const size = { width, height: inputs.empty_latent_height, batch_size: inputs.batch_size };
    const { vae_name } = inputs;
    const vae = vae_name === BAKED ? loaded.out(2) : graph.node('VAELoader', { vae_name }).out(0);
    const empty = graph.node('EmptyLatentImage', size).out(0);
    const result = [model, positive, negative, empty, vae, clip, null];
    return { result, expand: graph.finalize() };
  },
});

/** What only the original's own text encoding does. */
function refuse(name: string, value: string, known: string): void {
  if (value !== known) throw new RangeError(`${name}: only ${known} is known here, got ${value}`);
}

const OUTPUTS = [
  { type: 'MODEL', name: 'MODEL' },
  { type: 'CONDITIONING', name: 'CONDITIONING+' },
  { type: 'CONDITIONING', name: 'CONDITIONING-' },
  { type: 'LATENT', name: 'LATENT' },
  { type: 'VAE', name: 'VAE' },
  { type: 'IMAGE', name: 'IMAGE' },
] as const;

interface Sampled {
  readonly sampler: string;
  /** What ComfyUI's sampler gets, by its names. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly vae: unknown;
  readonly script: unknown;
  readonly preview_method: string;
  readonly vae_decode: string;
}

/** Side of a tile, as the original has it. */
const TILE = { tile_size: 320, overlap: 64, temporal_size: 64, temporal_overlap: 8 };

/** The sampler, the decoder behind it where a VAE is there, and a preview of the picture. */
function sampled({ sampler, inputs, vae, ...how }: Sampled, context: Context): NodeResult {
  if (how.script) throw new RangeError('script: scripts are not known here');
  const graph = context.newGraph();
  const latent = graph.node(sampler, inputs).out(0);
  const isTiled = how.vae_decode.includes('tiled');
  const decodes = isLink(vae) && how.vae_decode !== 'false';
  const decoder = isTiled ? 'VAEDecodeTiled' : 'VAEDecode';
  const image = decodes
    ? graph.node(decoder, { samples: latent, vae, ...(isTiled ? TILE : {}) }).out(0)
    : graph.node('EmptyImage', { width: 1, height: 1, batch_size: 1, color: 0 }).out(0);
  const shows = decodes && how.preview_method !== 'none' && !how.vae_decode.startsWith('output');
  if (shows) graph.node('PreviewImage', { images: image });
  const { model, positive, negative } = inputs;
  const result = [model, positive, negative, latent, isLink(vae) ? vae : null, image];
  return { result, expand: graph.finalize() };
}

type Inputs = Readonly<Record<string, InputSpec>>;

/** What a sampler's node says besides what all of them have. */
interface SamplerNode {
  readonly name: string;
  readonly description: string;
  /** ComfyUI's node. */
  readonly sampler: string;
  /** Its inputs before the steps, and behind the latent. */
  readonly first: Inputs;
  readonly last: Inputs;
  readonly previews: readonly string[];
  readonly decodes: readonly string[];
}

const samplerNode = ({ sampler, first, last, previews, decodes, ...node }: SamplerNode) =>
  sampling({
    ...node,
    inputs: {
      model: model({ rawLink: true }),
      ...first,
      steps: int({ default: 20, min: 1, max: 10000 }),
      cfg: float({ default: 7, min: 0, max: 100 }),
      sampler_name: combo(samplerNames),
      scheduler: combo(schedulerNames),
      positive: conditioning({ rawLink: true }),
      negative: conditioning({ rawLink: true }),
      latent_image: latent({ rawLink: true }),
      ...last,
      preview_method: combo(previews),
      vae_decode: combo(decodes),
      optional_vae: optional(vae({ rawLink: true })),
      script: optional(socket<unknown>('SCRIPT')),
    },
    outputs: OUTPUTS,
    outputNode: true,
    run({ optional_vae, script, preview_method, vae_decode, ...inputs }, context) {
      const how = { vae: optional_vae, script, preview_method, vae_decode };
      return sampled({ sampler, inputs, ...how }, context);
    },
  });

const kSampler = samplerNode({
  name: 'KSampler (Efficient)',
  description: 'Samples, decodes and shows the picture.',
  sampler: 'KSampler',
  first: { seed: int64({ default: 0, min: 0, max: LIMIT }) },
  last: { denoise: float({ default: 1, min: 0, max: 1, step: 0.01 }) },
  previews: ['auto', 'latent2rgb', 'taesd', 'vae_decoded_only', 'none'],
  decodes: ['true', 'true (tiled)', 'false'],
});

const kSamplerAdvanced = samplerNode({
  name: 'KSampler Adv. (Efficient)',
  description: 'Samples a part of the steps, decodes and shows the picture.',
  sampler: 'KSamplerAdvanced',
  first: {
    add_noise: combo(['enable', 'disable']),
    noise_seed: int64({ default: 0, min: 0, max: LIMIT }),
  },
  last: {
    start_at_step: int({ default: 0, min: 0, max: 10000 }),
    end_at_step: int({ default: 10000, min: 0, max: 10000 }),
    return_with_leftover_noise: combo(['disable', 'enable']),
  },
  previews: ['auto', 'latent2rgb', 'taesd', 'none'],
  decodes: ['true', 'true (tiled)', 'false', 'output only', 'output only (tiled)'],
});

export const efficiencyNodes: readonly NodeDefinition[] = [
  efficientLoader,
  kSampler,
  kSamplerAdvanced,
];
