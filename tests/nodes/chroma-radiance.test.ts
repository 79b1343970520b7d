import { expect, test } from 'vitest';
import { chromaRadianceOptions as node } from '../../nodes/chroma-radiance.ts';
import { runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';

test('ChromaRadianceOptions prints like the reference, and changes nothing', async () => {
  assertLikeReference(node);
  const model = { family: { name: 'any' } };
  expect((await runNode(node, { model, nerf_tile_size: 0 }))[0]).toBe(model);
});
