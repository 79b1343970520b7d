import { it } from 'vitest';
import { customSamplingNodes } from '../../nodes/custom-sampling.ts';
import { guidanceNodes } from '../../nodes/guidance.ts';
import { samplerNodes } from '../../nodes/samplers.ts';
import { samplingNodes } from '../../nodes/sampling.ts';
import { sigmaNodes } from '../../nodes/sigmas.ts';
import { assertLikeReference } from '../support/object-info.ts';

const nodes = [
  ...samplingNodes,
  ...customSamplingNodes,
  ...samplerNodes,
  ...sigmaNodes,
  ...guidanceNodes,
];

it.each(nodes.map((node) => [node.name, node] as const))(
  '%s prints as the reference does',
  (_, node) => {
    assertLikeReference(node);
  },
);
