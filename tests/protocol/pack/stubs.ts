/** Sources of pictures, masks and numbers. */
import { full } from '../../../engine/array/nd.ts';
import { map } from '../../../engine/array/elementwise.ts';
import { combo, defineNode, float, int } from '../../../engine/node.ts';
import type { NodeDefinition } from '../../../engine/node.ts';
import { CHANNELS } from './images.ts';

const MODULE = 'custom_nodes.testing-pack';
const category = 'Testing/Stub Nodes';

const size = {
  height: int({ default: 512, min: 1, max: 1024 ** 3, step: 1 }),
  width: int({ default: 512, min: 1, max: 4096 ** 3, step: 1 }),
  batch_size: int({ default: 1, min: 1, max: 1024 ** 3, step: 1 }),
};
const value = float({ default: 0.5, min: 0, max: 1, step: 0.01 });

const FILL = { WHITE: 1, BLACK: 0 } as const;

export const stubNodes: readonly NodeDefinition[] = [
  defineNode({
    name: 'StubImage',
    displayName: 'Stub Image',
    category,
    module: MODULE,
    form: 'v1',
    inputs: { content: combo(['WHITE', 'BLACK', 'NOISE'] as const), ...size },
    outputs: [{ type: 'IMAGE' }],
    run({ content, height, width, batch_size }) {
      const shape = [batch_size, height, width, CHANNELS];
      return [content === 'NOISE' ? map(full(shape, 0), Math.random) : full(shape, FILL[content])];
    },
  }),
  defineNode({
    name: 'StubConstantImage',
    displayName: 'Stub Constant Image',
    category,
    module: MODULE,
    form: 'v1',
    inputs: { value, ...size },
    outputs: [{ type: 'IMAGE' }],
    run: (inputs) => [
      full([inputs.batch_size, inputs.height, inputs.width, CHANNELS], inputs.value),
    ],
  }),
  defineNode({
    name: 'StubMask',
    displayName: 'Stub Mask',
    category,
    module: MODULE,
    form: 'v1',
    inputs: { value, ...size },
    outputs: [{ type: 'MASK' }],
    run: (inputs) => [full([inputs.batch_size, inputs.height, inputs.width], inputs.value)],
  }),
  defineNode({
    name: 'StubInt',
    displayName: 'Stub Int',
    category,
    module: MODULE,
    form: 'v1',
    inputs: { value: int({ default: 0, min: -0xffffffff, max: 0xffffffff, step: 1 }) },
    outputs: [{ type: 'INT' }],
    run: (inputs) => [inputs.value],
  }),
  defineNode({
    name: 'StubFloat',
    displayName: 'Stub Float',
    category,
    module: MODULE,
    form: 'v1',
    inputs: { value: float({ default: 0, min: -1e38, max: 1e38, step: 0.01 }) },
    outputs: [{ type: 'FLOAT' }],
    run: (inputs) => [inputs.value],
  }),
];
