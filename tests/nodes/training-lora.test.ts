/** Training a LoRA in a workflow, and what is saved of it. */
import { test } from 'vitest';
import { trainingLoraNodes } from '../../nodes/training-lora.ts';
import { assertLikeReference } from '../support/object-info.ts';

test.each(trainingLoraNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);
