/** Context windows: long batches and videos sampled in overlapping parts. */
import { NoodleError } from '../engine/errors.ts';
import { boolean, combo, inModule, int, model, optional, string } from '../engine/node.ts';
import type { Model, NodeDefinition } from '../engine/node.ts';
import type { ContextWindowOptions } from '../engine/sampling/guidance/context-windows.ts';

type Schedule = ContextWindowOptions['schedule'];
type Fuse = ContextWindowOptions['fuse'];

const define = inModule('comfy_extras.nodes_context_windows', 'v3', {
  category: 'context',
  experimental: true,
  outputs: [{ type: 'MODEL' }],
});

/** What both nodes take behind length and overlap. */
const windows = {
  context_schedule: combo<Schedule>(
    ['standard_static', 'standard_uniform', 'looped_uniform', 'batched'],
    { multiselect: false },
  ),
  context_stride: int({ default: 1, min: 1 }),
  closed_loop: boolean({ default: false }),
  fuse_method: combo<Fuse>(['pyramid', 'relative', 'flat', 'overlap-linear'], {
    default: 'pyramid',
    multiselect: false,
  }),
};

/** What 0.33 added; prompts of 0.3.64 are without. */
const splitConds = optional(boolean({ default: false }));

interface Inputs {
  readonly context_length: number;
  readonly context_overlap: number;
  readonly context_schedule: Schedule;
  readonly context_stride: number;
  readonly closed_loop: boolean;
  readonly fuse_method: Fuse;
  readonly freenoise?: boolean | undefined;
  readonly split_conds_to_windows?: boolean | undefined;
}

type Own = Pick<ContextWindowOptions, 'axis' | 'retainCond' | 'retainLatent' | 'anchor'>;

/** The model with these windows in place of those it had. */
async function windowed(model: Model, inputs: Inputs, own: Own): Promise<[Model]> {
  const { contextWindows } = await import('../engine/sampling/guidance/context-windows.ts');
  const hooks = contextWindows({
    ...own,
    length: inputs.context_length,
    overlap: inputs.context_overlap,
    schedule: inputs.context_schedule,
    stride: inputs.context_stride,
    closedLoop: inputs.closed_loop,
    fuse: inputs.fuse_method,
    freeNoise: inputs.freenoise ?? false,
    splitConds: inputs.split_conds_to_windows ?? false,
  });
  return [{ ...model, guidance: { ...model.guidance, ...hooks } }];
}

/** The places in a list as `0, 2, -1`. */
function places(text: string | undefined, subject: string): number[] {
  if (!text) return [];
  return text.split(',').map((part) => {
    if (/^\s*[-+]?\d+\s*$/.test(part)) return Number(part);
    throw new NoodleError('BAD_INPUT', { subject, expected: 'integers and commas', got: text });
  });
}

export const contextWindowsManual = define({
  name: 'ContextWindowsManual',
  displayName: 'Context Windows (Manual)',
  description: 'Samples a long batch (or another axis of the latent) in overlapping windows.',
  inputs: {
    model: model({}),
    context_length: int({ default: 16, min: 1 }),
    context_overlap: int({ default: 4, min: 0 }),
    ...windows,
    dim: int({ default: 0, min: 0, max: 5 }),
    freenoise: optional(boolean({ default: false })),
    cond_retain_index_list: optional(string({ default: '', multiline: false })),
    split_conds_to_windows: splitConds,
    latent_retain_index_list: optional(string({ default: '', multiline: false })),
    causal_window_fix: optional(boolean({ default: true })),
  },
  run: ({ model, dim, ...inputs }) =>
    windowed(model, inputs, {
      axis: dim,
      retainCond: places(inputs.cond_retain_index_list, 'cond_retain_index_list'),
      retainLatent: places(inputs.latent_retain_index_list, 'latent_retain_index_list'),
      anchor: inputs.causal_window_fix ?? false,
    }),
});

export const wanContextWindowsManual = define({
  name: 'WanContextWindowsManual',
  displayName: 'WAN Context Windows (Manual)',
  description: 'Samples long videos in overlapping windows; lengths are in frames of the video.',
  inputs: {
    model: model({}),
    context_length: int({ default: 81, min: 1, max: 16384, step: 4 }),
    context_overlap: int({ default: 30, min: 0 }),
    ...windows,
    freenoise: optional(boolean({ default: true, advanced: true })),
    retain_first_frame: optional(boolean({ default: false })),
    split_conds_to_windows: optional(boolean({ default: false, advanced: true })),
  },
  run({ model, context_length, context_overlap, retain_first_frame, ...inputs }) {
    // four frames share a cell, but the first has one of its own
    const cells = (frames: number): number => Math.floor((frames - 1) / 4) + 1;
    // 0.33, which is told more, counts an overlap without a first frame
    const later = inputs.freenoise !== undefined;
    const overlap = later ? Math.floor(context_overlap / 4) : cells(context_overlap);
    return windowed(
      model,
      { ...inputs, context_length: cells(context_length), context_overlap: overlap },
      { axis: 2, retainCond: retain_first_frame ? [0] : [], retainLatent: [], anchor: later },
    );
  },
});

export const contextWindowNodes: readonly NodeDefinition[] = [
  contextWindowsManual,
  wanContextWindowsManual,
];
