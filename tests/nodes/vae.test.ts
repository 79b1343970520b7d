import { describe, expect, test } from 'vitest';
import { nd } from '../../engine/array/nd.ts';
import { pixelSpaceVae } from '../../engine/values/autoencoders.ts';
import type { AutoencoderKind } from '../../engine/values/vae.ts';
import { vaeDecodeTiled, vaeEncodeTiled, vaeNodes } from '../../nodes/vae.ts';
import { runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference, referenceNodeNames } from '../support/object-info.ts';

const known = vaeNodes.filter(({ name }) => referenceNodeNames().includes(name));

test.each(known.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => {
    assertLikeReference(node);
  },
);

describe('an overlap that is too large for the tiles', () => {
  /** The tiles that a node hands to the autoencoder. */
  async function tiles(task: 'encode' | 'decode', overlap: number): Promise<string[]> {
    const seen: string[] = [];
    const keep: AutoencoderKind['encode'] = async (_, x) => {
      seen.push(x.shape.slice(2).join('x'));
      return x;
    };
    const kind = { ...pixelSpaceVae.kind, encode: keep, decode: keep };
    const vae = { ...pixelSpaceVae, kind };
    const x = nd(
      new Float32Array(88 * 64 * 3),
      task === 'encode' ? [1, 88, 64, 3] : [1, 3, 88, 64],
    );
    const options = { vae, tile_size: 64, overlap, temporal_size: 64, temporal_overlap: 8 };
    await (task === 'encode'
      ? runNode(vaeEncodeTiled, { pixels: x, ...options })
      : runNode(vaeDecodeTiled, { samples: { samples: x }, ...options }));
    return seen;
  }

  test.each(['encode', 'decode'] as const)('becomes a quarter of a tile: %s', async (task) => {
    const quarter = await tiles(task, 16);
    expect(quarter.length).toBeGreaterThan(3);
    expect(await tiles(task, 64)).toEqual(quarter);
    expect(await tiles(task, 4096)).toEqual(quarter);
  });

  test('encoding takes any overlap that the reference can use', async () => {
    expect(await tiles('encode', 24)).not.toEqual(await tiles('encode', 16));
    expect(await tiles('decode', 24)).toEqual(await tiles('decode', 16));
  });
});
