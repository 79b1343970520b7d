/**
 * Nodes of Stable Cascade on small autoencoders. Oracle: the classes of ComfyUI 0.3.64 (fixtures of
 * tests/engine/arch/cascade.test.ts).
 */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { channelsLast } from '../../engine/array/layout.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { openVae } from '../../engine/values/autoencoders.ts';
import type { Latent } from '../../engine/values/media.ts';
import { decode, decodeTiled } from '../../engine/values/vae.ts';
import { openSource } from '../../engine/weights/open.ts';
import { readFloats } from '../../engine/weights/read.ts';
import { sub } from '../../engine/weights/source.ts';
import { cascadeNodes, cascadeStageCEncode, cascadeSuperResolution } from '../../nodes/cascade.ts';
import { compare } from '../golden/area.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';

const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());
const context = { ...contextWith(), services: { runtime } };

async function open(name: string) {
  const path = join(import.meta.dirname, `../fixtures/cascade/${name}.safetensors`);
  const file = await openSource(path);
  const array = async (key: string): Promise<NDArray> => {
    const entry = file.tensors.get(key)!;
    return { data: await readFloats(entry), shape: entry.shape };
  };
  return { vae: openVae(sub(file, 'w.')), array };
}

const same = (got: NDArray, expected: NDArray): void => {
  const { pass, maxError } = compare('array', got, expected, { atol: 1e-5, rtol: 1e-5 });
  expect(pass, `differs by ${maxError}`).toBe(true);
};

test.each(cascadeNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

test('pictures of whole cells are encoded as they are, and stage B is empty', async () => {
  const { vae, array } = await open('stage-c-coder');
  const image = channelsLast(await array('in.picture')); // 32 x 64
  const inputs = { image, vae, compression: 32 };
  const [stageC, stageB] = (await runNode(cascadeStageCEncode, inputs, context)) as Latent[];
  same(stageC.samples, await array('out.latent'));
  expect(stageB.samples.shape).toEqual([1, 4, 8, 16]);
  const larger = await runNode(cascadeStageCEncode, { ...inputs, compression: 16 }, context);
  expect((larger as Latent[])[0].samples.shape).toEqual([1, 16, 2, 4]);
});

test('latents of stage C are shown in small pictures, whole and in tiles', async () => {
  const { vae, array } = await open('stage-c-coder');
  const latent = await array('in.latent'); // 3 x 2
  const shown = channelsLast(await array('out.picture'));
  const data = shown.data.map((v) => Math.min(1, Math.max(0, (v + 1) / 2)));
  same(await decode(vae, latent, { runtime }), { ...shown, data });
  const tiles = await decodeTiled(vae, latent, { tile: 64, overlap: 16 }, { runtime });
  expect(tiles.shape).toEqual([1, 24, 16, 3]);
});

test('stage A takes pictures as they are, and what it gives is not cut', async () => {
  const { vae, array } = await open('stage-a');
  const drawn = channelsLast(await array('out.picture'));
  expect(Math.min(...drawn.data)).toBeLessThan(0);
  same(await decode(vae, await array('in.latent'), { runtime }), drawn);
  const image = channelsLast(await array('in.picture')); // 24 x 32
  const [hint, stageC, stageB] = await runNode(cascadeSuperResolution, { image, vae }, context);
  same(hint as NDArray, channelsLast(await array('out.latent')));
  expect((stageC as Latent).samples.shape).toEqual([2, 16, 1, 2]);
  expect((stageB as Latent).samples.shape).toEqual([2, 4, 12, 16]);
});

test('a file with one half says so when the other is asked for', async () => {
  const { vae, array } = await open('stage-c-coder');
  const only = openVae(sub(vae.source, 'previewer.'));
  const image = channelsLast(await array('in.picture'));
  const inputs = { image, vae: only, compression: 32 };
  await expect(runNode(cascadeStageCEncode, inputs, context)).rejects.toThrow(
    'expected an encoder, got a previewer only',
  );
});
