/** rgthree's contexts: a bundle of what most workflows carry from node to node. */
import {
  clip,
  conditioning,
  image,
  int64,
  latent,
  model,
  nullable,
  optional,
  socket,
  vae,
} from 'noodle/node';
import type { InputSpec, NodeDefinition } from 'noodle/node';
import { inCategory, numbered } from './define.ts';

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

const NAMES = Object.keys(PARTS) as (keyof typeof PARTS)[];

/** More parts that only large contexts have; small ones hand them on unseen. */
const UNSEEN = [
  ...['steps', 'step_refiner', 'cfg', 'ckpt_name', 'sampler', 'scheduler', 'clip_width'],
  ...['clip_height', 'text_pos_g', 'text_pos_l', 'text_neg_g', 'text_neg_l', 'mask', 'control_net'],
];

const inputs = Object.fromEntries(
  NAMES.map((name) => [name, optional(nullable(PARTS[name]() as InputSpec<unknown, false>))]),
) as Readonly<Record<string, InputSpec<unknown, true>>>;

const CONTEXT = 'RGTHREE_CONTEXT';
const baseContext = () => optional(socket<Bundle | null>(CONTEXT));

const outputs = [
  { type: CONTEXT, name: 'CONTEXT' },
  ...NAMES.map((name) => ({
    type: PARTS[name]().type,
    name: name === 'images' ? 'IMAGE' : name.toUpperCase(),
  })),
];

const isEmpty = (bundle: unknown): boolean =>
  typeof bundle !== 'object' ||
  bundle === null ||
  Object.values(bundle).every((part) => part === null);

const outputsOf = (bundle: Bundle | null): unknown[] => [
  bundle,
  ...NAMES.map((name) => bundle?.[name] ?? null),
];

/** For every part the last of the bundles that has it. */
const merged = (bundles: readonly (Bundle | null | undefined)[]): Bundle =>
  Object.fromEntries(
    [...NAMES, ...UNSEEN].map((name) => [
      name,
      bundles.map((bundle) => bundle?.[name] ?? null).findLast((part) => part !== null) ?? null,
    ]),
  );

/** The bundles under `ctx_01`, `ctx_02` …, those that hold nothing left out. */
const given = (all: Readonly<Record<string, unknown>>): Bundle[] =>
  [...numbered(all, 'ctx_').values()].filter((bundle): bundle is Bundle => !isEmpty(bundle));

export const contextNodes: readonly NodeDefinition[] = [
  rgthree({
    name: 'Context (rgthree)',
    inputs: { base_ctx: baseContext(), ...inputs },
    outputs,
    run: ({ base_ctx, ...parts }) => outputsOf(merged([base_ctx as Bundle | null, parts])),
  }),
  rgthree({
    name: 'Context Switch (rgthree)',
    inputs: {},
    acceptAllInputs: true,
    outputs,
    run: (all) => outputsOf(given(all)[0] ?? null),
  }),
  rgthree({
    name: 'Context Merge (rgthree)',
    inputs: {},
    acceptAllInputs: true,
    outputs,
    run: (all) => outputsOf(merged(given(all))),
  }),
];
