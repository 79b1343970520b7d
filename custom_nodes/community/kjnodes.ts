/** KJNodes: channels, ranges of latents, lazy switches, loaders with more choices, widgets as text. */
import {
  boolean,
  combo,
  concat,
  formatValue,
  image,
  int,
  isLink,
  latent,
  map,
  mask,
  model,
  nd,
  optional,
  pythonStr,
  string,
  zeros,
} from 'noodle/node';
import type { Image, NodeDefinition, Prompt } from 'noodle/node';
import { anything, inCategory } from './define.ts';

const images = inCategory('KJNodes/image');
const misc = inCategory('KJNodes/misc');

/** One channel of a picture as a grey picture. */
function channel({ data, shape }: Image, k: number): Image {
  const c = shape[3];
  return nd(
    Float32Array.from({ length: (data.length / c) * 3 }, (_, i) => data[Math.floor(i / 3) * c + k]),
    [...shape.slice(0, 3), 3],
  );
}

const channelNodes: readonly NodeDefinition[] = [
  images({
    name: 'SplitImageChannels',
    displayName: 'Split Image Channels',
    inputs: { image: image() },
    outputs: [
      ...['red', 'green', 'blue'].map((name) => ({ type: 'IMAGE', name })),
      { type: 'MASK', name: 'mask' },
    ],
    run({ image }) {
      const { data, shape } = image;
      const alpha =
        shape[3] === 4
          ? nd(
              Float32Array.from({ length: data.length / 4 }, (_, i) => data[i * 4 + 3]),
              shape.slice(0, 3),
            )
          : zeros(shape.slice(0, 3));
      return [channel(image, 0), channel(image, 1), channel(image, 2), alpha];
    },
  }),
  images({
    name: 'MergeImageChannels',
    displayName: 'Merge Image Channels',
    inputs: { red: image(), green: image(), blue: image(), alpha: optional(mask()) },
    outputs: [{ type: 'IMAGE', name: 'image' }],
    run({ red, green, blue, alpha }) {
      const parts = [red, green, blue];
      const size = red.shape.slice(0, 3).join('×');
      const other = [...parts, ...(alpha ? [alpha] : [])].find(
        ({ shape }) => shape.slice(0, 3).join('×') !== size,
      );
      if (other !== undefined) {
        throw new RangeError(
          `expected pictures of one size, got ${size} and ${other.shape.slice(0, 3).join('×')}`,
        );
      }
      const count = alpha ? 4 : 3;
      const out = new Float32Array((red.data.length / red.shape[3]) * count);
      for (let i = 0; i < out.length / count; i++) {
        parts.forEach(({ data, shape }, k) => (out[i * count + k] = data[i * shape[3] + k]));
        if (alpha) out[i * count + 3] = alpha.data[i];
      }
      return [nd(out, [...red.shape.slice(0, 3), count])];
    },
  }),
  images({
    name: 'ImageNormalize_Neg1_To_1',
    displayName: 'Image Normalize -1 to 1',
    inputs: { images: image() },
    outputs: [{ type: 'IMAGE' }],
    run: ({ images }) => [map(images, (v) => v * 2 - 1)],
  }),
];

const latentNodes: readonly NodeDefinition[] = [
  inCategory('KJNodes/latents')({
    name: 'GetLatentRangeFromBatch',
    displayName: 'Get Latent Range From Batch',
    inputs: {
      latents: latent(),
      start_index: int({ default: 0, min: -1, max: 4096, step: 1 }),
      num_frames: int({ default: 1, min: -1, max: 4096, step: 1 }),
    },
    outputs: [{ type: 'LATENT' }],
    /** Of a film's latent the frames, else the latents of the batch; −1 stands for the last ones and for all. */
    run({ latents: { samples }, start_index, num_frames }) {
      const { data, shape } = samples;
      const axis = shape.length === 5 ? 2 : 0;
      const count = shape[axis];
      const start = start_index === -1 ? Math.max(0, count - num_frames) : start_index;
      if (start >= count)
        throw new RangeError(`start_index: expected below ${count}, got ${start}`);
      const end = num_frames === -1 ? count : Math.min(start + num_frames, count);
      const inner = shape.slice(axis + 1).reduce((size, d) => size * d, 1);
      const outer = data.length / (inner * count);
      const parts = Array.from({ length: outer }, (_, i) =>
        nd(data.subarray((i * count + start) * inner, (i * count + end) * inner), [
          1,
          end - start,
          inner,
        ]),
      );
      const cut = shape.map((d, i) => (i === axis ? end - start : d));
      return [{ samples: nd(concat(parts).data, cut) }];
    },
  }),
];

const SAGE = [
  ...(['disabled', 'auto', 'sageattn_qk_int8_pv_fp16_cuda'] as const),
  ...(['sageattn_qk_int8_pv_fp16_triton', 'sageattn_qk_int8_pv_fp8_cuda'] as const),
  ...(['sageattn_qk_int8_pv_fp8_cuda++', 'sageattn3', 'sageattn3_per_block_mean'] as const),
] as const;

const modelNodes: readonly NodeDefinition[] = [
  /** Another way to compute the same attention: it changes how long a step takes, nothing else. */
  inCategory('KJNodes/experimental')({
    name: 'PathchSageAttentionKJ',
    displayName: 'Patch Sage Attention KJ',
    inputs: {
      model: model(),
      sage_attention: combo(SAGE, { default: false }),
      allow_compile: optional(boolean({ default: false })),
    },
    experimental: true,
    outputs: [{ type: 'MODEL' }],
    run: ({ model }) => [model],
  }),
  inCategory('KJNodes/vae')({
    name: 'VAELoaderKJ',
    displayName: 'VAELoader KJ',
    inputs: {
      vae_name: combo((source) => [...source.modelFiles('vae'), 'pixel_space']),
      device: combo(['main_device', 'cpu'] as const),
      weight_dtype: combo(['bf16', 'fp16', 'fp32'] as const),
    },
    outputs: [{ type: 'VAE' }],
    run({ vae_name }, context) {
      const graph = context.newGraph();
      const loader = graph.node('VAELoader', { vae_name });
      return { result: [loader.out(0)], expand: graph.finalize() };
    },
  }),
  misc({
    name: 'LazySwitchKJ',
    displayName: 'Lazy Switch KJ',
    inputs: {
      switch: boolean(),
      on_false: anything({ lazy: true }),
      on_true: anything({ lazy: true }),
    },
    outputs: [{ type: '*' }],
    checkLazy: ({ switch: isOn }) => [isOn === true ? 'on_true' : 'on_false'],
    run: ({ switch: isOn, on_false, on_true }) => [isOn ? on_true : on_false],
  }),
];

interface StoredNode {
  readonly id: number | string;
  readonly title?: string;
}

/** The prompt's node that an id, a title or the link of `any_input` means; as the prompt calls it. */
function chosenNode(
  { id, node_title, own }: { id: number; node_title: string; own: string },
  prompt: Prompt,
  workflow: unknown,
): string {
  const { nodes = [] } = (workflow ?? {}) as { nodes?: readonly StoredNode[] };
  const path = own.split(':').slice(0, -1);
  const named = node_title === '' ? undefined : nodes.find(({ title }) => title === node_title)?.id;
  const link = prompt[own]?.inputs.any_input;
  const wanted = node_title !== '' ? named : id !== 0 ? id : isLink(link) ? link[0] : undefined;
  const known = [[...path, wanted].join(':'), String(wanted)].find((name) =>
    Object.hasOwn(prompt, name),
  );
  if (wanted !== undefined && known !== undefined) return known;
  throw new RangeError('id: expected the id or title of a node of the workflow, found none');
}

const widgetToString: NodeDefinition = inCategory('KJNodes/text')({
  name: 'WidgetToString',
  displayName: 'Widget To String',
  inputs: {
    id: int({ default: 0, min: 0, max: 100000, step: 1 }),
    widget_name: string({ multiline: false }),
    return_all: boolean({ default: false }),
    any_input: optional(anything()),
    node_title: optional(string({ multiline: false })),
    allowed_float_decimals: optional(int({ default: 2, min: 0, max: 10 })),
  },
  hidden: { extra_pnginfo: 'EXTRA_PNGINFO', prompt: 'PROMPT', unique_id: 'UNIQUE_ID' },
  outputs: [{ type: 'STRING' }],
  isChanged: () => NaN,
  run({ id, widget_name, return_all, node_title = '', allowed_float_decimals = 2, ...hidden }) {
    const { prompt, unique_id: own, extra_pnginfo } = hidden;
    const node = chosenNode({ id, node_title, own }, prompt, extra_pnginfo?.workflow);
    const { inputs } = prompt[node];
    const text = (value: unknown): string =>
      typeof value === 'number' && !Number.isInteger(value)
        ? formatValue(value, `.${allowed_float_decimals}f`)
        : typeof value === 'string'
          ? value
          : pythonStr(value);
    const listed = widget_name.split(',').map((name) => name.trim());
    const names = return_all ? Object.keys(inputs) : listed.filter((name) => name !== '');
    const missing = names.find((name) => !Object.hasOwn(inputs, name));
    if (missing !== undefined || names.length === 0) {
      throw new RangeError(`widget_name: node ${node} has no '${missing ?? widget_name}'`);
    }
    if (!return_all && names.length === 1) return [text(inputs[names[0]])];
    return [names.map((name) => `${name}: ${text(inputs[name])}`).join(', ')];
  },
});

export const kjNodes: readonly NodeDefinition[] = [
  ...channelNodes,
  ...latentNodes,
  ...modelNodes,
  widgetToString,
];
