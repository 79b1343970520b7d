import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type NDArray, nd, zeros } from '../../engine/array/nd.ts';
import { createFolders } from '../../engine/store/folders.ts';
import type { Mesh } from '../../engine/values/mesh.ts';
import {
  hunyuan3dConditioning,
  hunyuan3dConditioningMultiView,
  meshNodes,
  saveGlb,
  voxelToMesh,
  voxelToMeshBasic,
} from '../../nodes/mesh.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';
import { assertLikeReference } from '../support/object-info.ts';

interface Case {
  readonly size: readonly [number, number, number];
  readonly algorithm: string;
  readonly threshold: number;
  readonly vertices: number;
  readonly faces: number;
  /** Σ v·(i mod 97 + 1). */
  readonly vsum: number;
  readonly fsum: number;
}

/** Computed by the reference. */
const { views: sides, ...reference } = JSON.parse(
  readFileSync(new URL('../fixtures/mesh.json', import.meta.url), 'utf8'),
) as Record<string, Case> & { views: { shape: number[]; data: number[] } };

const base = mkdtempSync(join(tmpdir(), 'noodle-mesh-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
const context = { progress: () => undefined, services: { folders, options: {} } } as never;

/** An egg. */
function grid([d, h, w]: readonly number[]): NDArray {
  const out = new Float32Array(d * h * w);
  for (let z = 0, i = 0; z < d; z++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++, i++) {
        const squares = [
          (z - d / 2 + 0.3) / (d / 2.4),
          (y - h / 2) / (h / 2.7),
          (x - w / 2 - 0.2) / (w / 2.9),
        ].map((v) => v * v);
        out[i] = 1.2 - (squares[0] + squares[1] + squares[2]);
      }
    }
  }
  return nd(out, [1, d, h, w]);
}

const weighed = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, v, i) => sum + v * ((i % 97) + 1), 0);

describe('meshes', () => {
  it.each(meshNodes.map((node) => [node.name, node] as const))(
    '%s prints as the reference',
    (_, node) => assertLikeReference(node),
  );

  it.each(Object.entries(reference))('surrounds an egg: %s', async (_, theirs) => {
    const { size, algorithm, threshold } = theirs;
    const inputs = { voxel: { grid: grid(size) }, algorithm, threshold };
    const [mesh] = (await voxelToMesh.run(inputs, context)) as [Mesh];
    const [{ vertices, faces }] = mesh.surfaces;
    expect([vertices.length / 3, faces.length / 3]).toEqual([theirs.vertices, theirs.faces]);
    expect(weighed(faces)).toBe(theirs.fsum);
    expect(weighed(vertices)).toBeCloseTo(theirs.vsum, 1);
  });

  it('takes pictures from several sides', async () => {
    const seen = (start: number) => ({ last: pattern([1, 2, 6], 37, start) });
    const node = hunyuan3dConditioningMultiView;
    type Pair = [[{ cross: NDArray }], [{ cross: NDArray }]];
    const given = { front: seen(11), back: seen(5) };
    const [[positive], [negative]] = (await node.run(given, context)) as Pair;
    expectArray(positive.cross, sides, 5);
    expect(negative.cross).toEqual(zeros(positive.cross.shape));
    await expect(async () => node.run({}, context)).rejects.toThrow('at least one of them');
    const one = hunyuan3dConditioning.run({ clip_vision_output: seen(11) }, context) as Pair;
    expect(one[0][0].cross).toEqual(seen(11).last);
  });

  it('saves GLB files', async () => {
    const voxel = { grid: grid([6, 7, 8]) };
    const [mesh] = (await voxelToMeshBasic.run({ voxel, threshold: 0.5 }, context)) as [Mesh];
    const prompt = { 1: { class_type: 'X', inputs: {} } };
    const inputs = { mesh, filename_prefix: 'mesh/egg', prompt, extra_pnginfo: null };
    const { ui } = (await saveGlb.run(inputs, context)) as { ui: Record<string, unknown> };
    expect(ui['3d']).toEqual([{ filename: 'egg_00001_.glb', subfolder: 'mesh', type: 'output' }]);
    const bytes = readFileSync(join(folders.output, 'mesh/egg_00001_.glb'));
    expect([bytes.toString('latin1', 0, 4), bytes.readUInt32LE(8)]).toEqual(['glTF', bytes.length]);
    const length = bytes.readUInt32LE(12);
    const gltf = JSON.parse(bytes.toString('utf8', 20, 20 + length)) as {
      accessors: { count: number; min?: number[] }[];
      asset: { extras: { prompt: string } };
    };
    const [{ vertices, faces }] = mesh.surfaces;
    expect(gltf.accessors.map(({ count }) => count)).toEqual([vertices.length / 3, faces.length]);
    expect(JSON.parse(gltf.asset.extras.prompt)).toEqual(prompt);
    expect(bytes.readFloatLE(28 + length)).toBe(vertices[0]);
    const empty = { grid: zeros([1, 4, 4, 4]) };
    const [nothing] = (await voxelToMeshBasic.run({ voxel: empty, threshold: 0.5 }, context)) as [
      Mesh,
    ];
    const saving = async () => saveGlb.run({ ...inputs, mesh: nothing }, context);
    await expect(saving()).rejects.toThrow('at least one triangle');
  });
});
