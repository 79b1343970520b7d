import { concat, rows } from '../../../engine/array/batch.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import { defineNode, image, int } from '../../../engine/node.ts';

/** A double of the reference's node that takes pictures apart and joins them to lists. */
export const rebatch = defineNode({
  name: 'RebatchImages',
  category: 'image/batch',
  module: 'comfy_extras.nodes_rebatch',
  form: 'v1',
  inputs: { images: image(), batch_size: int({ default: 1, min: 1, max: 4096 }) },
  outputs: [{ type: 'IMAGE', list: true }],
  inputIsList: true,
  run(inputs) {
    const all = concat([...inputs.images]);
    const [size] = inputs.batch_size;
    const batches: NDArray[] = [];
    for (let at = 0; at < all.shape[0]; at += size) {
      batches.push(rows(all, at, Math.min(at + size, all.shape[0])));
    }
    return [batches];
  },
});
