import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { full, zeros } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { Folders } from '../../engine/store/folders.ts';
import type { AttentionBias } from '../../engine/values/attention-bias.ts';
import type { ClipVisionOutput } from '../../engine/values/clip-vision.ts';
import type { Conditioning } from '../../engine/values/conditioning.ts';
import {
  clipVisionEncode,
  clipVisionLoader,
  styleModelApply,
  styleModelLoader,
  visionNodes,
} from '../../nodes/vision.ts';
import { contextWith, runNode, withFolders } from '../golden/pictures/run-node.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { assertLikeReference } from '../support/object-info.ts';

test.each(visionNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

const runtime = createRuntime({ threads: 1 });

function contextOf(folders: Folders) {
  const context = contextWith(folders);
  return { ...context, services: { ...(context.services as object), runtime } };
}

/** Puts a golden model file where the loaders look. */
function install(folders: Folders, folder: string, name: string): void {
  const target = join(folders.directory('input'), '../models', folder);
  mkdirSync(target, { recursive: true });
  copyFileSync(join(ownGoldenDir('upscale'), 'models', folder, name), join(target, name));
}

describe('picture encoders and style models', () => {
  test('a picture goes from its file through encoder and style model into the conditioning', () =>
    withFolders(async (folders) => {
      install(folders, 'clip_vision', 'siglip.safetensors');
      install(folders, 'style_models', 'redux_tiny.safetensors');
      const context = contextOf(folders);
      const name = { clip_name: 'siglip.safetensors' };
      const [clip_vision] = await runNode(clipVisionLoader, name, context);
      const image = full([18, 20, 30, 3], 0.25); // more rows than share a call
      const seen = { clip_vision, image, crop: 'none' };
      const [output] = await runNode(clipVisionEncode, seen, context);
      expect((output as ClipVisionOutput).last.shape).toEqual([18, 16, 32]);

      const file = { style_model_name: 'redux_tiny.safetensors' };
      const [style_model] = await runNode(styleModelLoader, file, context);
      const conditioning = [{ cross: zeros([1, 7, 48]), extra: { guidance: 3 } }];
      const inputs = { conditioning, style_model, clip_vision_output: output };
      const apply = async (more: object, on = inputs): Promise<Conditioning[number]> => {
        const [entries] = await runNode(styleModelApply, { ...on, ...more }, context);
        return (entries as Conditioning)[0];
      };
      const scaled = await apply({ strength: 2, strength_type: 'multiply' });
      expect(scaled.cross.shape).toEqual([1, 7 + 18 * 16, 48]);
      expect(scaled.extra).toEqual({ guidance: 3 });

      const biased = await apply({ strength: 2, strength_type: 'attn_bias' });
      const bias = biased.extra!.attention_bias as AttentionBias;
      expect(bias.shape).toEqual([1, 7 + 18 * 16 + 1, 7 + 18 * 16 + 1]);

      // a second style model widens the mask of the first, also without a strength of its own
      const both = { ...inputs, conditioning: [biased as (typeof conditioning)[number]] };
      const twice = await apply({ strength: 1, strength_type: 'multiply' }, both);
      const wider = twice.extra!.attention_bias as AttentionBias;
      const size = 7 + 2 * 18 * 16 + 1;
      expect(wider.shape).toEqual([1, size, size]);
      expect(wider.data[7]).toBeCloseTo(Math.log(2), 3);
      expect(wider.data[7 + 18 * 16]).toBe(0);
      expect(wider.data[(size - 1) * size + 7]).toBeCloseTo(Math.log(2), 3);
    }));

  test('what does not fit is named', () =>
    withFolders(async (folders) => {
      install(folders, 'clip_vision', 'siglip.safetensors');
      install(folders, 'style_models', 'redux_tiny.safetensors');
      const context = contextOf(folders);
      const name = 'redux_tiny.safetensors';
      const [style_model] = await runNode(styleModelLoader, { style_model_name: name }, context);
      const inputs = { style_model, strength: 1, strength_type: 'multiply' };
      const seen = (width: number) => ({ last: zeros([1, 3, width]) });
      const conditioning = [{ cross: zeros([1, 7, 20]) }];
      const wrong = { ...inputs, conditioning, clip_vision_output: seen(31) };
      await expect(runNode(styleModelApply, wrong, context)).rejects.toThrow(
        /clip_vision_output.*width 32.*got width 31/,
      );
      const other = { ...inputs, conditioning, clip_vision_output: seen(32) };
      await expect(runNode(styleModelApply, other, context)).rejects.toThrow(
        /as wide as the text \(20\).*got 48/,
      );
      const target = join(folders.directory('input'), '../models/style_models');
      const vision = join(folders.directory('input'), '../models/clip_vision');
      copyFileSync(join(target, name), join(vision, name));
      await expect(runNode(clipVisionLoader, { clip_name: name }, context)).rejects.toThrow(
        /no picture encoder of CLIP or SigLIP/,
      );
    }));
});
