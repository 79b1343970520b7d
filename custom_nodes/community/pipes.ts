/** Bundles of model, encoders and conditionings on one wire: Impact Pack's basic pipes, Easy Use's pipes. */
import {
  boolean,
  clip,
  combo,
  conditioning,
  float,
  image,
  int,
  int64,
  latent,
  model,
  nullable,
  optional,
  samplerNames,
  schedulerNames,
  socket,
  vae,
} from 'noodle/node';
import type { Context, InputSpec, NodeDefinition, NodeResult } from 'noodle/node';
import { LIMIT, anything, inCategory } from './define.ts';

const impact = inCategory('ImpactPack/Pipe');
const sampling = inCategory('ImpactPack/sampling');
const util = inCategory('ImpactPack/Util');
const easy = inCategory('EasyUse/Pipe');

/** What a basic pipe holds, in the order of its parts. */
const PARTS = ['model', 'clip', 'vae', 'positive', 'negative'] as const;
type BasicPipe = Readonly<Record<(typeof PARTS)[number], unknown>>;

const BASIC = 'BASIC_PIPE';
const basicPipe = (options?: object) => socket<BasicPipe>(BASIC, { ...options }, [...PARTS]);
const parts = () => ({
  model: model(),
  clip: clip(),
  vae: vae(),
  positive: conditioning(),
  negative: conditioning(),
});
const optionalParts = () =>
  Object.fromEntries(
    Object.entries(parts()).map(([name, spec]) => [
      name,
      optional(nullable(spec as InputSpec<unknown, false>)),
    ]),
  ) as Record<(typeof PARTS)[number], InputSpec<unknown, true>>;

const partOutputs = PARTS.map((name) => ({ type: parts()[name].type, name }));
const pipeOutput = { type: BASIC, name: 'basic_pipe' };

/** The parts of `pipe`, those that are given in place of its own. */
const edited = (pipe: BasicPipe, given: Readonly<Record<string, unknown>>): BasicPipe =>
  Object.fromEntries(PARTS.map((name) => [name, given[name] ?? pipe[name]])) as BasicPipe;

const basicPipes: readonly NodeDefinition[] = [
  impact({
    name: 'ToBasicPipe',
    inputs: parts(),
    outputs: [pipeOutput],
    run: (given) => [given],
  }),
  impact({
    name: 'FromBasicPipe',
    inputs: { basic_pipe: basicPipe() },
    outputs: partOutputs,
    run: ({ basic_pipe }) => PARTS.map((name) => basic_pipe[name]),
  }),
  impact({
    name: 'FromBasicPipe_v2',
    inputs: { basic_pipe: basicPipe() },
    outputs: [pipeOutput, ...partOutputs],
    run: ({ basic_pipe }) => [basic_pipe, ...PARTS.map((name) => basic_pipe[name])],
  }),
  impact({
    name: 'EditBasicPipe',
    displayName: 'Edit BasicPipe',
    inputs: { basic_pipe: basicPipe(), ...optionalParts() },
    outputs: [pipeOutput],
    run: ({ basic_pipe, ...given }) => [edited(basic_pipe, given)],
  }),
  impact({
    name: 'AnyPipeToBasic',
    displayName: 'Any PIPE -> BasicPipe',
    inputs: { any_pipe: anything() },
    outputs: [pipeOutput],
    run({ any_pipe }) {
      const pipe = any_pipe as BasicPipe | null;
      const missing = PARTS.find((name) => pipe?.[name] === undefined);
      if (missing === undefined) return [edited(pipe as BasicPipe, {})];
      throw new TypeError(`any_pipe: expected a pipe with a ${missing}, got one without`);
    },
  }),
];

interface Sampled {
  readonly basic_pipe: unknown;
  readonly scheduler_func_opt: unknown;
}

/** ComfyUI's sampler on the parts of a pipe, and the pipe and its VAE beside the latent. */
function sampled(
  sampler: string,
  inputs: Readonly<Record<string, unknown>>,
  { basic_pipe, scheduler_func_opt }: Sampled,
  context: Context,
): NodeResult {
  if (scheduler_func_opt) {
    throw new RangeError('scheduler_func_opt: functions that make schedules are not known here');
  }
  const graph = context.newGraph();
  const pipe = graph.node('FromBasicPipe', { basic_pipe });
  const [model, vae, positive, negative] = [0, 2, 3, 4].map((slot) => pipe.out(slot));
  const latent = graph.node(sampler, { model, positive, negative, ...inputs }).out(0);
  return { result: [basic_pipe, latent, vae], expand: graph.finalize() };
}

const sampledOutputs = [{ type: BASIC }, { type: 'LATENT' }, { type: 'VAE' }];
const schedule = () => ({
  sampler_name: combo(samplerNames),
  scheduler: combo(schedulerNames),
  latent_image: latent({ rawLink: true }),
});
const steps = () => ({
  steps: int({ default: 20, min: 1, max: 10000 }),
  cfg: float({ default: 8, min: 0, max: 100 }),
});
const schedulerFunction = () => optional(socket<unknown>('SCHEDULER_FUNC'));
const enabled = (value: boolean): string => (value ? 'enable' : 'disable');
const toggle = (value: boolean) =>
  boolean({ default: value, label_on: 'enable', label_off: 'disable' });

const samplers: readonly NodeDefinition[] = [
  sampling({
    name: 'ImpactKSamplerBasicPipe',
    displayName: 'KSampler (pipe)',
    inputs: {
      basic_pipe: basicPipe({ rawLink: true }),
      seed: int64({ default: 0, min: 0, max: LIMIT }),
      ...steps(),
      ...schedule(),
      denoise: float({ default: 1, min: 0, max: 1, step: 0.01 }),
      scheduler_func_opt: schedulerFunction(),
    },
    outputs: sampledOutputs,
    run: ({ basic_pipe, scheduler_func_opt, ...inputs }, context) =>
      sampled('KSampler', inputs, { basic_pipe, scheduler_func_opt }, context),
  }),
  sampling({
    name: 'ImpactKSamplerAdvancedBasicPipe',
    displayName: 'KSampler (Advanced/pipe)',
    inputs: {
      basic_pipe: basicPipe({ rawLink: true }),
      add_noise: toggle(true),
      noise_seed: int64({ default: 0, min: 0, max: LIMIT }),
      ...steps(),
      ...schedule(),
      start_at_step: int({ default: 0, min: 0, max: 10000 }),
      end_at_step: int({ default: 10000, min: 0, max: 10000 }),
      return_with_leftover_noise: toggle(false),
      scheduler_func_opt: schedulerFunction(),
    },
    outputs: sampledOutputs,
    run({ basic_pipe, scheduler_func_opt, ...inputs }, context) {
      const add_noise = enabled(inputs.add_noise);
      const return_with_leftover_noise = enabled(inputs.return_with_leftover_noise);
      const all = { ...inputs, add_noise, return_with_leftover_noise };
      return sampled('KSamplerAdvanced', all, { basic_pipe, scheduler_func_opt }, context);
    },
  }),
];

const TILE_MODES = ['None', 'Both', 'Decode(input) only', 'Encode(output) only'] as const;
const TILING = { overlap: 64, temporal_size: 64, temporal_overlap: 8 };

interface Reencoding {
  readonly samples: unknown;
  readonly tile_mode: (typeof TILE_MODES)[number];
  readonly tile_size: number;
}

/** A latent of one model as a latent of another, through the picture. */
function reencoded(
  graph: ReturnType<Context['newGraph']>,
  { samples, tile_mode, tile_size }: Reencoding,
  [from, to]: readonly [unknown, unknown],
): unknown {
  const tiled = (way: string) =>
    tile_mode === 'Both' || tile_mode.startsWith(way) ? { tile_size, ...TILING } : undefined;
  const [decoding, encoding] = [tiled('Decode'), tiled('Encode')];
  const decoder = decoding ? 'VAEDecodeTiled' : 'VAEDecode';
  const pixels = graph.node(decoder, { samples, vae: from, ...decoding }).out(0);
  const encoder = encoding ? 'VAEEncodeTiled' : 'VAEEncode';
  return graph.node(encoder, { pixels, vae: to, ...encoding }).out(0);
}

const reencoders: readonly NodeDefinition[] = [
  util({
    name: 'ReencodeLatent',
    displayName: 'Reencode Latent',
    inputs: {
      samples: latent({ rawLink: true }),
      tile_mode: combo(TILE_MODES),
      input_vae: vae({ rawLink: true }),
      output_vae: vae({ rawLink: true }),
      tile_size: int({ default: 512, min: 320, max: 4096, step: 64 }),
    },
    outputs: [{ type: 'LATENT' }],
    run({ input_vae, output_vae, ...how }, context) {
      const graph = context.newGraph();
      const latent = reencoded(graph, how, [input_vae, output_vae]);
      return { result: [latent], expand: graph.finalize() };
    },
  }),
  util({
    name: 'ReencodeLatentPipe',
    displayName: 'Reencode Latent (pipe)',
    inputs: {
      samples: latent({ rawLink: true }),
      tile_mode: combo(TILE_MODES),
      input_basic_pipe: basicPipe({ rawLink: true }),
      output_basic_pipe: basicPipe({ rawLink: true }),
    },
    outputs: [{ type: 'LATENT' }],
    run({ input_basic_pipe, output_basic_pipe, ...how }, context) {
      const graph = context.newGraph();
      const vaeOf = (basic_pipe: unknown) => graph.node('FromBasicPipe', { basic_pipe }).out(2);
      const vaes = [vaeOf(input_basic_pipe), vaeOf(output_basic_pipe)] as const;
      const latent = reencoded(graph, { ...how, tile_size: 512 }, vaes);
      return { result: [latent], expand: graph.finalize() };
    },
  }),
];

/** Easy Use's pipe: the parts by the names of its sockets. */
const EASY_PARTS = {
  model: () => model(),
  pos: () => conditioning(),
  neg: () => conditioning(),
  latent: () => latent(),
  vae: () => vae(),
  clip: () => clip(),
  image: () => image(),
} satisfies Readonly<Record<string, () => InputSpec<unknown, false>>>;
const EASY_NAMES = Object.keys(EASY_PARTS) as (keyof typeof EASY_PARTS)[];
type EasyPipe = Readonly<Record<string, unknown>>;

const easyParts = Object.fromEntries(
  EASY_NAMES.map((name) => [
    name,
    optional(nullable(EASY_PARTS[name]() as InputSpec<unknown, false>)),
  ]),
) as Record<keyof typeof EASY_PARTS, InputSpec<unknown, true>>;

const easyPipes: readonly NodeDefinition[] = [
  easy({
    name: 'easy pipeIn',
    displayName: 'Pipe In',
    inputs: {
      pipe: optional(nullable(socket<EasyPipe>('PIPE_LINE'))),
      ...easyParts,
      xyPlot: optional(socket<unknown>('XYPLOT')),
    },
    outputs: [{ type: 'PIPE_LINE', name: 'pipe' }],
    run({ pipe, xyPlot, ...given }) {
      if (xyPlot) throw new RangeError('xyPlot: plots are not known here');
      const { image, latent } = given;
      if (image && !latent) {
        throw new TypeError(
          'image: expected a latent beside it; VAE Encode makes one of a picture',
        );
      }
      const own = Object.entries(given).filter(([, part]) => part !== null && part !== undefined);
      return [{ ...pipe, ...Object.fromEntries(own) }];
    },
  }),
  easy({
    name: 'easy pipeOut',
    displayName: 'Pipe Out',
    inputs: { pipe: socket<EasyPipe>('PIPE_LINE', undefined, []) },
    outputs: [
      { type: 'PIPE_LINE', name: 'pipe' },
      ...EASY_NAMES.map((name) => ({ type: EASY_PARTS[name]().type, name })),
      { type: 'INT', name: 'seed' },
    ],
    run: ({ pipe }) => [pipe, ...EASY_NAMES.map((name) => pipe[name] ?? null), pipe.seed ?? null],
  }),
];

export const pipeNodes: readonly NodeDefinition[] = [
  ...basicPipes,
  ...samplers,
  ...reencoders,
  ...easyPipes,
];
