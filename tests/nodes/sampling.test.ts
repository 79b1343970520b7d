import { it } from 'vitest';
import { samplingNodes } from '../../nodes/sampling.ts';
import { assertLikeReference } from '../support/object-info.ts';

it.each(samplingNodes.map((node) => [node.name, node] as const))(
  '%s prints as the reference does',
  (_, node) => {
    assertLikeReference(node);
  },
);
