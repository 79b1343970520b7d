import { test } from 'vitest';
import { conditioningNodes } from '../../nodes/conditioning.ts';
import { assertLikeReference, referenceNodeNames } from '../support/object-info.ts';

const known = conditioningNodes.filter(({ name }) => referenceNodeNames().includes(name));

test.each(known.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => {
    assertLikeReference(node);
  },
);
