/** Nodes that each show one rule: laziness, IS_CHANGED, validation, expansion. */
import { scale } from '../../../engine/array/elementwise.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import {
  Float,
  defineNode,
  float,
  image,
  int64,
  mask,
  optional,
  socket,
  string,
} from '../../../engine/node.ts';
import type { InputSpec, NodeDefinition } from '../../../engine/node.ts';
import { average, maximum, minimum, mix, plainImage, product } from './images.ts';
import { withVariants } from './smart-type.ts';

const category = 'Testing/Nodes';
const module = 'custom_nodes.testing-pack';

const isFloat = (value: unknown): boolean =>
  value instanceof Float || (typeof value === 'number' && !Number.isInteger(value));

type Factor = InputSpec<NDArray | number, false>;
const imageOrFloat = (): Factor => socket('IMAGE,FLOAT');

/** A float where one is given as a constant; links come as null. */
function wrongConstant(inputs: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of ['input1', 'input2']) {
    const value = inputs[name];
    if (value != null && !isFloat(value))
      return `Invalid type of ${name}: <class '${typeof value === 'number' ? 'int' : 'str'}'>`;
  }
  return undefined;
}

const lazyMix = defineNode({
  name: 'TestLazyMixImages',
  displayName: 'Lazy Mix Images',
  category,
  module,
  form: 'v1',
  inputs: { image1: image({ lazy: true }), image2: image({ lazy: true }), mask: mask() },
  outputs: [{ type: 'IMAGE' }],
  checkLazy(inputs) {
    const weights = inputs.mask as NDArray;
    const needed: string[] = [];
    if (inputs.image1 == null && minimum(weights) !== 1) needed.push('image1');
    if (inputs.image2 == null && maximum(weights) !== 0) needed.push('image2');
    return needed;
  },
  run(inputs) {
    if (maximum(inputs.mask) === 0) return [inputs.image1];
    if (minimum(inputs.mask) === 1) return [inputs.image2];
    return [mix(inputs.image1, inputs.image2, inputs.mask)];
  },
});

const variadicAverage = defineNode({
  name: 'TestVariadicAverage',
  displayName: 'Variadic Average',
  category,
  module,
  form: 'v1',
  inputs: { input1: image() },
  outputs: [{ type: 'IMAGE' }],
  run(inputs) {
    const given: Readonly<Record<string, unknown>> = inputs;
    const images: NDArray[] = [];
    for (let i = 1; `input${i}` in given; i++) images.push(given[`input${i}`] as NDArray);
    return [average(images)];
  },
});

const customIsChanged = defineNode({
  name: 'TestCustomIsChanged',
  displayName: 'Custom IsChanged',
  category,
  module,
  form: 'v1',
  inputs: { image: image(), should_change: optional(socket<boolean>('BOOL', { default: false })) },
  outputs: [{ type: 'IMAGE' }],
  isChanged: ({ should_change }) => (should_change === true ? NaN : false),
  run: (inputs) => [inputs.image],
});

const isChangedWithConstants = defineNode({
  name: 'TestIsChangedWithConstants',
  displayName: 'IsChanged With Constants',
  category,
  module,
  form: 'v1',
  inputs: { image: image(), value: float({ default: 1, min: 0, max: 10 }) },
  outputs: [{ type: 'IMAGE' }],
  isChanged: (inputs) => (inputs.image == null ? inputs.value : NaN),
  run: (inputs) => [scale(inputs.image, inputs.value)],
});

const productNode = (
  name: string,
  displayName: string,
  input: () => Factor,
  validate?: NodeDefinition['validate'],
): NodeDefinition =>
  defineNode({
    name,
    displayName,
    category,
    module,
    form: 'v1',
    inputs: { input1: input(), input2: input() },
    outputs: [{ type: 'IMAGE' }],
    validate,
    run: ({ input1, input2 }) => [product(input1, input2)],
  });

const validation1 = productNode('TestCustomValidation1', 'Custom Validation 1', imageOrFloat, {
  inputs: ['input1', 'input2'],
  check: (inputs) => wrongConstant(inputs) ?? true,
});

const validation2 = productNode('TestCustomValidation2', 'Custom Validation 2', imageOrFloat, {
  inputs: ['input1', 'input2'],
  inputTypes: true,
  check(inputs, inputTypes) {
    for (const [name, type] of Object.entries(inputTypes)) {
      if (!['IMAGE', 'FLOAT'].includes(type)) return `Invalid type of ${name}: ${type}`;
    }
    return wrongConstant(inputs) ?? true;
  },
});

const validation3 = withVariants(
  productNode('TestCustomValidation3', 'Custom Validation 3', imageOrFloat),
);

const validation4 = productNode(
  'TestCustomValidation4',
  'Custom Validation 4',
  () => socket('FLOAT'),
  { inputs: ['input1', 'input2'], check: () => true },
);

const validation5 = productNode(
  'TestCustomValidation5',
  'Custom Validation 5',
  () => float({ min: 0, max: 1 }),
  {
    inputs: 'all',
    check: ({ input2 }) => (input2 === 7 ? "7s are not allowed. I've never liked 7s." : true),
  },
);

const dynamicCycle = defineNode({
  name: 'TestDynamicDependencyCycle',
  displayName: 'Dynamic Dependency Cycle',
  category,
  module,
  form: 'v1',
  inputs: { input1: image(), input2: image() },
  outputs: [{ type: 'IMAGE' }],
  run({ input1, input2 }, context) {
    const graph = context.newGraph();
    const half = graph.node('StubMask', { value: 0.5, height: 512, width: 512, batch_size: 1 });
    const mix1 = graph.node('TestLazyMixImages', { image1: input1, mask: half.out(0) });
    const mix2 = graph.node('TestLazyMixImages', {
      image1: mix1.out(0),
      image2: input2,
      mask: half.out(0),
    });
    mix1.setInput('image2', mix2.out(0));
    return { result: [mix2.out(0)], expand: graph.finalize() };
  },
});

const mixedExpansion = defineNode({
  name: 'TestMixedExpansionReturns',
  displayName: 'Mixed Expansion Returns',
  category,
  module,
  form: 'v1',
  inputs: { input1: socket<number>('FLOAT') },
  outputs: [{ type: 'IMAGE' }, { type: 'IMAGE' }],
  run({ input1 }, context) {
    const white = plainImage(1);
    if (input1 <= 0.1) return [plainImage(0.1), white];
    if (input1 <= 0.2) return { result: [plainImage(0.2), white] };
    const size = { height: 512, width: 512, batch_size: 1 };
    const graph = context.newGraph();
    const mixed = graph.node('TestLazyMixImages', {
      mask: graph.node('StubMask', { value: 0.3, ...size }).out(0),
      image1: graph.node('StubImage', { content: 'BLACK', ...size }).out(0),
      image2: graph.node('StubImage', { content: 'WHITE', ...size }).out(0),
    });
    return { result: [mixed.out(0), white], expand: graph.finalize() };
  },
});

const samplingInExpansion = defineNode({
  name: 'TestSamplingInExpansion',
  displayName: 'Sampling In Expansion',
  category,
  module,
  form: 'v1',
  inputs: {
    model: socket('MODEL'),
    clip: socket('CLIP'),
    vae: socket('VAE'),
    seed: int64({ default: 0, min: 0, max: 0xffffffffffffffffn }),
    steps: int64({ default: 20, min: 1, max: 100 }),
    cfg: float({ default: 7, min: 0, max: 30 }),
    prompt: string({ multiline: true, default: 'a beautiful landscape with mountains and trees' }),
    negative_prompt: string({ multiline: true, default: 'blurry, bad quality, worst quality' }),
  },
  outputs: [{ type: 'IMAGE' }],
  run({ model, clip, vae, seed, steps, cfg, prompt, negative_prompt }, context) {
    const graph = context.newGraph();
    const encode = (text: string) => graph.node('CLIPTextEncode', { text, clip }).out(0);
    const samples = graph.node('KSampler', {
      model,
      positive: encode(prompt),
      negative: encode(negative_prompt),
      latent_image: graph
        .node('EmptyLatentImage', { width: 512, height: 512, batch_size: 1 })
        .out(0),
      seed,
      steps,
      cfg,
      sampler_name: 'euler_ancestral',
      scheduler: 'normal',
      denoise: 1,
    });
    const decoded = graph.node('VAEDecode', { samples: samples.out(0), vae });
    return { result: [decoded.out(0)], expand: graph.finalize() };
  },
});

const outputWithSocket = defineNode({
  name: 'TestOutputNodeWithSocketOutput',
  displayName: 'Test Output Node With Socket Output',
  category: '_for_testing',
  module,
  form: 'v1',
  inputs: { image: image(), value: float({ default: 1, min: 0, max: 10 }) },
  outputs: [{ type: 'IMAGE' }],
  outputNode: true,
  run: (inputs) => [scale(inputs.image, inputs.value)],
});

export const specificNodes: readonly NodeDefinition[] = [
  lazyMix,
  variadicAverage,
  customIsChanged,
  isChangedWithConstants,
  validation1,
  validation2,
  validation3,
  validation4,
  validation5,
  dynamicCycle,
  mixedExpansion,
  samplingInExpansion,
  outputWithSocket,
];
