import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import { full, nd, zeros } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { areaBox } from '../../engine/sampling/region.ts';
import type { Conditioning } from '../../engine/values/conditioning.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import type { Latent } from '../../engine/values/media.ts';
import { conditioningSetAreaPercentageVideo } from '../../nodes/conditioning.ts';
import { trimVideoLatent } from '../../nodes/latent-advanced.ts';
import { latentEmptyNodes } from '../../nodes/latent-empty.ts';
import * as nodes from '../../nodes/model-conditioning.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';

test.each([...latentEmptyNodes, ...nodes.modelConditioningNodes].map((n) => [n.name, n] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

// oracle: ComfyUI 0.3.64 (the video ones also in the golden case node_empty_latents)
test.each([
  ['EmptyHunyuanLatentVideo', { width: 70, height: 50, length: 6 }, [2, 16, 2, 6, 8]],
  ['EmptyMochiLatentVideo', { width: 64, height: 48, length: 31 }, [2, 12, 6, 6, 8]],
  ['EmptyCosmosLatentVideo', { width: 64, height: 48, length: 9 }, [2, 16, 2, 6, 8]],
  ['EmptyLTXVLatentVideo', { width: 64, height: 96, length: 17 }, [2, 128, 3, 3, 2]],
  ['EmptyHunyuanImageLatent', { width: 1024, height: 768 }, [2, 64, 24, 32]],
  ['EmptySD3LatentImage', { width: 100, height: 64 }, [2, 16, 8, 12]],
  ['EmptyChromaRadianceLatentImage', { width: 32, height: 48 }, [2, 3, 48, 32]],
])('%s of %o', async (name, sizes, shape) => {
  const node = latentEmptyNodes.find((candidate) => candidate.name === name)!;
  const [latent] = await runNode(node, { ...sizes, batch_size: 2 });
  expect(latent).toEqual({ samples: zeros(shape) });
});

// oracle: ComfyUI 0.3.64; round(…) is Python's
test.each([
  ['EmptyLatentAudio', { seconds: 1 }, [2, 64, 22], 'audio'],
  ['EmptyLatentAudio', { seconds: 47.6 }, [2, 64, 1024], 'audio'],
  ['EmptyLatentAudio', { seconds: 12.3 }, [2, 64, 264], 'audio'],
  ['EmptyAceStepLatentAudio', { seconds: 120 }, [2, 8, 16, 1291], 'audio'],
  ['EmptyLatentHunyuan3Dv2', { resolution: 48 }, [2, 64, 48], 'hunyuan3dv2'],
])('%s of %o', async (name, sizes, shape, type) => {
  const node = latentEmptyNodes.find((candidate) => candidate.name === name)!;
  const [latent] = await runNode(node, { ...sizes, batch_size: 2 });
  expect(latent).toEqual({ samples: zeros(shape), type });
});

test('HunyuanRefinerLatent hands the picture on and starts from nothing', async () => {
  const cross = zeros([1, 2, 3]);
  const samples = full([2, 64, 1, 3, 4], 0.5);
  const out = await runNode(nodes.hunyuanRefinerLatent, {
    positive: [{ cross }],
    negative: [{ cross }],
    latent: { samples },
    noise_augmentation: 0.25,
  });
  const entry = { cross, concatLatent: samples, extra: { noise_augmentation: 0.25 } };
  expect(out).toEqual([[entry], [entry], { samples: zeros([2, 32, 1, 3, 4]) }]);
});

test('TrimVideoLatent drops the first frames', async () => {
  const samples = { shape: [1, 2, 3, 1, 1], data: Float32Array.of(0, 1, 2, 3, 4, 5) };
  const trim = (trim_amount: number) =>
    runNode(trimVideoLatent, { samples: { samples, batch_index: [7] }, trim_amount });
  expect(await trim(1)).toEqual([
    { samples: { shape: [1, 2, 2, 1, 1], data: Float32Array.of(1, 2, 4, 5) }, batch_index: [7] },
  ]);
  expect(((await trim(9)) as readonly Latent[])[0].samples.shape).toEqual([1, 2, 0, 1, 1]);
  assertLikeReference(trimVideoLatent);
});

test('StableCascade_EmptyLatentImage makes the latents of both stages', async () => {
  const node = latentEmptyNodes.at(-1)!;
  const sizes = { width: 1024, height: 768, compression: 42, batch_size: 1 };
  const latents = (await runNode(node, sizes)) as readonly Latent[];
  expect(latents.map(({ samples }) => samples.shape)).toEqual([
    [1, 16, 18, 24],
    [1, 4, 192, 256],
  ]);
});

describe('what families read from their conditioning', () => {
  const entry = { cross: zeros([1, 3, 4]), extra: { kept: 1 } };
  const extraOf = async (node: (typeof nodes.modelConditioningNodes)[number], inputs: object) => {
    const results = (await runNode(node, { conditioning: [entry], ...inputs })) as Conditioning[];
    return results.map(([first]) => first.extra);
  };

  test('guidance, sizes and references are added to what is there', async () => {
    expect(await extraOf(nodes.fluxGuidance, { guidance: 2 })).toEqual([{ kept: 1, guidance: 2 }]);
    expect(await extraOf(nodes.fluxDisableGuidance, {})).toEqual([{ kept: 1, guidance: null }]);
    expect(await extraOf(nodes.fluxKontextMethod, { reference_latents_method: 'uxo/uno' })).toEqual(
      [{ kept: 1, reference_latents_method: 'uxo' }],
    );
    const both = { positive: [entry], negative: [entry], frame_rate: 24 };
    const rate = { kept: 1, frame_rate: 24 };
    expect(await extraOf(nodes.ltxvConditioning, both)).toEqual([rate, rate]);
    const stage = { stage_c: { samples: zeros([1, 16, 2, 2]) } };
    expect(await extraOf(nodes.cascadeStageB, stage)).toEqual([
      { kept: 1, stable_cascade_prior: zeros([1, 16, 2, 2]) },
    ]);
  });

  test('reference latents make a list; none changes nothing', async () => {
    const latent = { samples: zeros([1, 16, 2, 2]) };
    const [one] = await runNode(nodes.referenceLatent, { conditioning: [entry], latent });
    const [two] = await runNode(nodes.referenceLatent, { conditioning: one, latent });
    expect((two as Conditioning)[0].extra!.reference_latents).toEqual([
      latent.samples,
      latent.samples,
    ]);
    const [none] = await runNode(nodes.referenceLatent, { conditioning: two });
    expect(none).toBe(two);
  });

  test('Kontext pictures take the nearest shape, of two as near the narrower', async () => {
    const sizeOf = async (height: number, width: number) => {
      const image = full([1, height, width, 3], 0.5);
      const [scaled] = await runNode(nodes.fluxKontextImageScale, { image });
      return (scaled as { shape: readonly number[] }).shape.slice(1, 3);
    };
    expect(await sizeOf(64, 64)).toEqual([1024, 1024]);
    expect(await sizeOf(50, 100)).toEqual([720, 1456]);
    expect(await sizeOf(300, 10)).toEqual([1568, 672]);
  });

  test('an area of a video has a place in time', async () => {
    const place = { width: 0.5, height: 1, x: 0.5, y: 0, temporal: 0.25, z: 0.5, strength: 1 };
    const inputs = { conditioning: [entry], ...place };
    const [[changed]] = (await runNode(
      conditioningSetAreaPercentageVideo,
      inputs,
    )) as Conditioning[];
    expect(areaBox(changed.area!, [8, 6, 10])).toEqual({ sizes: [2, 6, 5], offsets: [4, 0, 5] });
    expect(areaBox(changed.area!, [6, 10])).toEqual({ sizes: [6, 5], offsets: [0, 5] });
  });
});

describe('with the tiny checkpoint', () => {
  const checkpoint = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');
  const runtime = createRuntime({ threads: 1 });
  const context = {
    ...contextWith(),
    services: { runtime, folders: { embedding: () => undefined } },
  };

  test('an instruct model is shown the picture, cut to whole cells in its middle', async () => {
    const { vae } = await loadCheckpoint(checkpoint, families);
    const data = Float32Array.from({ length: 35 * 37 * 3 }, (_, i) => (i % 7) / 7);
    const pixels = nd(data, [1, 35, 37, 3]);
    const entries = [{ cross: zeros([1, 3, 4]) }];
    const inputs = { positive: entries, negative: entries, vae, pixels };
    const [positive, negative, latent] = (await runNode(
      nodes.instructPixToPixConditioning,
      inputs,
      context,
    )) as [Conditioning, Conditioning, Latent];
    const shown = positive[0].concatLatent!;
    expect(shown.shape.slice(2)).toEqual([4, 4]);
    expect(negative[0].concatLatent).toBe(shown);
    expect(latent.samples).toEqual(zeros(shown.shape));
  });

  test('a prompt with the size of the picture, and one for ControlNets alone', async () => {
    const { clip } = await loadCheckpoint(checkpoint, families);
    const inputs = { clip, text: 'a cat', width: 512, height: 768 };
    const [[entry]] = (await runNode(
      nodes.clipTextEncodePixArtAlpha,
      inputs,
      context,
    )) as Conditioning[];
    expect(entry.extra).toEqual({ width: 512, height: 768 });
    expect(entry.cross.shape[1]).toBe(77);
    const own = { clip, text: 'a cat', conditioning: [{ cross: zeros([1, 77, 128]) }] };
    const [[controlled]] = (await runNode(
      nodes.clipTextEncodeControlnet,
      own,
      context,
    )) as Conditioning[];
    expect(controlled.crossControl).toEqual(entry.cross);
    expect(controlled.cross).toBe(own.conditioning[0].cross);
    await runtime.unloadAll();
  });
});
