import { describe, it } from 'vitest';
import { imageAnimationNodes } from '../../nodes/image-animation.ts';
import { imageFilterNodes } from '../../nodes/image-filters.ts';
import { imageIoNodes } from '../../nodes/image-io.ts';
import { imageNodes } from '../../nodes/image.ts';
import { latentIoNodes } from '../../nodes/latent-io.ts';
import { latentNodes } from '../../nodes/latent.ts';
import { latentOperationNodes } from '../../nodes/latent-operations.ts';
import { maskNodes } from '../../nodes/mask.ts';
import { assertLikeReference } from '../support/object-info.ts';

const nodes = [
  ...imageIoNodes,
  ...imageNodes,
  ...imageFilterNodes,
  ...imageAnimationNodes,
  ...maskNodes,
  ...latentIoNodes,
  ...latentNodes,
  ...latentOperationNodes,
];

describe('picture and latent nodes', () => {
  it.each(nodes.map((node) => [node.name, node] as const))(
    '%s prints as the reference does',
    (_, node) => {
      assertLikeReference(node);
    },
  );
});
