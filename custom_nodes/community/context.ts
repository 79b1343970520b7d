/** rgthree's contexts: a bundle of what most workflows carry from node to node. */
import {
  clip,
  conditioning,
  float,
  image,
  int64,
  latent,
  mask,
  model,
  nullable,
  optional,
  socket,
  string,
  vae,
} from 'noodle/node';
import type { InputSpec, NodeDefinition } from 'noodle/node';
import { anything, inCategory, numbered } from './define.ts';

const rgthree = inCategory('rgthree');

/** What a context holds; null where nothing was put in. */
type Bundle = Readonly<Record<string, unknown>>;

/** The parts of a context in the order of the outputs, behind the context itself. */
const PARTS = {
  model: () => model(),
  clip: () => clip(),
  vae: () => vae(),
  positive: () => conditioning(),
  negative: () => conditioning(),
  latent: () => latent(),
  images: () => image(),
  seed: () => int64({ forceInput: true }),
} satisfies Readonly<Record<string, () => InputSpec<unknown, false>>>;

const forcedInt = () => int64({ forceInput: true });
const forcedText = () => string({ forceInput: true });

/** More parts that only large contexts show; small ones hand them on unseen. Lists of names may be of any kind. */
const MORE = {
  steps: forcedInt,
  step_refiner: forcedInt,
  cfg: () => float({ forceInput: true }),
  ckpt_name: () => anything({ forceInput: true }),
  sampler: () => anything({ forceInput: true }),
  scheduler: () => anything({ forceInput: true }),
  clip_width: forcedInt,
  clip_height: forcedInt,
  text_pos_g: forcedText,
  text_pos_l: forcedText,
  text_neg_g: forcedText,
  text_neg_l: forcedText,
  mask: () => mask(),
  control_net: () => socket('CONTROL_NET'),
} satisfies Readonly<Record<string, () => InputSpec<unknown, false>>>;

type Parts = Readonly<Record<string, () => InputSpec<unknown, false>>>;
const ALL: Parts = { ...PARTS, ...MORE };
const ALL_NAMES = Object.keys(ALL);

const CONTEXT = 'RGTHREE_CONTEXT';
const baseContext = () => optional(socket<Bundle | null>(CONTEXT));

const inputsFor = (parts: Parts) => ({
  base_ctx: baseContext() as InputSpec<unknown, true>,
  ...(Object.fromEntries(
    Object.entries(parts).map(([name, spec]) => [name, optional(nullable(spec()))]),
  ) as Readonly<Record<string, InputSpec<unknown, true>>>),
});

const outputsFor = (parts: Parts) => [
  { type: CONTEXT, name: 'CONTEXT' },
  ...Object.entries(parts).map(([name, spec]) => ({
    type: spec().type,
    name: name === 'images' ? 'IMAGE' : name.toUpperCase(),
  })),
];

const isEmpty = (bundle: unknown): boolean =>
  typeof bundle !== 'object' ||
  bundle === null ||
  Object.values(bundle).every((part) => part === null);

const valuesOf = (bundle: Bundle | null, parts: Parts): unknown[] => [
  bundle,
  ...Object.keys(parts).map((name) => bundle?.[name] ?? null),
];

/** For every part the last of the bundles that has it. */
const merged = (bundles: readonly (Bundle | null | undefined)[]): Bundle =>
  Object.fromEntries(
    ALL_NAMES.map((name) => [
      name,
      bundles.map((bundle) => bundle?.[name] ?? null).findLast((part) => part !== null) ?? null,
    ]),
  );

/** The bundles under `ctx_01`, `ctx_02` …, those that hold nothing left out. */
const given = (all: Readonly<Record<string, unknown>>): Bundle[] =>
  [...numbered(all, 'ctx_').values()].filter((bundle): bundle is Bundle => !isEmpty(bundle));

/** The three nodes of contexts with these parts; `size` stands behind their names. */
const nodesFor = (parts: Parts, size: string): readonly NodeDefinition[] => [
  rgthree({
    name: `Context${size} (rgthree)`,
    inputs: inputsFor(parts),
    outputs: outputsFor(parts),
    run: ({ base_ctx, ...own }) => valuesOf(merged([base_ctx as Bundle | null, own]), parts),
  }),
  rgthree({
    name: `Context Switch${size} (rgthree)`,
    inputs: {},
    acceptAllInputs: true,
    outputs: outputsFor(parts),
    run: (all) => valuesOf(given(all)[0] ?? null, parts),
  }),
  rgthree({
    name: `Context Merge${size} (rgthree)`,
    inputs: {},
    acceptAllInputs: true,
    outputs: outputsFor(parts),
    run: (all) => valuesOf(merged(given(all)), parts),
  }),
];

export const contextNodes: readonly NodeDefinition[] = [
  ...nodesFor(PARTS, ''),
  ...nodesFor(ALL, ' Big'),
];
