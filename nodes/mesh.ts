/** Bodies: what they are made of, blocks of space made surfaces, and surfaces saved. */
import { concat, rows } from '../engine/array/batch.ts';
import { nd, zeros } from '../engine/array/nd.ts';
import type { NDArray } from '../engine/array/nd.ts';
import { NoodleError } from '../engine/errors.ts';
import { workflowTexts } from '../engine/media/workflow-texts.ts';
import { combo, float, inModule, optional, socket, string } from '../engine/node.ts';
import type { Context, NodeDefinition } from '../engine/node.ts';
import type { Mesh, ToSurface, Voxels } from '../engine/values/mesh.ts';
import { workflowInputs } from './image-io.ts';
import { savable } from './save-prefix.ts';
import { clipVisionOutput } from './vision.ts';

const define = inModule('comfy_extras.nodes_hunyuan3d', 'v1', { category: '3d' });

const MESH = [{ type: 'MESH' }];
const voxel = () => socket<Voxels>('VOXEL', undefined, ['grid']);
const threshold = () => float({ default: 0.6, min: -1, max: 1, step: 0.01 });

function meshOf({ grid }: Voxels, from: number, surface: ToSurface, context: Context): [Mesh] {
  const count = grid.shape[0];
  const surfaces = Array.from({ length: count }, (_, i) => {
    context.progress(i, count);
    const one = rows(grid, i, i + 1);
    return surface({ data: one.data, shape: one.shape.slice(1) }, from);
  });
  return [{ surfaces }];
}

const PAIR = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
];
const conditions = inModule('comfy_extras.nodes_hunyuan3d', 'v1', {
  category: 'conditioning/video_models',
  outputs: PAIR,
});

/** What a picture encoder saw as the positive condition, nothing of its size as the negative one. */
const pairOf = (cross: NDArray) => [[{ cross }], [{ cross: zeros(cross.shape) }]];

export const hunyuan3dConditioning = conditions({
  name: 'Hunyuan3Dv2Conditioning',
  displayName: 'Hunyuan3Dv2Conditioning',
  description: 'A picture as what Hunyuan3D 2 makes a body of.',
  inputs: { clip_vision_output: clipVisionOutput() },
  run: ({ clip_vision_output }) => pairOf(clip_vision_output.last),
});

/** Sines and cosines of a place, over wave lengths up to 10000 (Vaswani et al. 2017). */
function placeCode(place: number, width: number): Float32Array {
  const half = width / 2;
  return Float32Array.from({ length: width }, (_, i) => {
    const angle = place / 10000 ** ((i % half) / half);
    return i < half ? Math.sin(angle) : Math.cos(angle);
  });
}

export const hunyuan3dConditioningMultiView = conditions({
  name: 'Hunyuan3Dv2ConditioningMultiView',
  displayName: 'Hunyuan3Dv2ConditioningMultiView',
  description: 'Pictures from up to four sides as what Hunyuan3D 2 makes a body of.',
  inputs: {
    front: optional(clipVisionOutput()),
    left: optional(clipVisionOutput()),
    back: optional(clipVisionOutput()),
    right: optional(clipVisionOutput()),
  },
  run: ({ front, left, back, right }) => {
    const views = [front, left, back, right].flatMap((view, place) => {
      if (view === undefined) return [];
      const width = view.last.shape[2];
      const code = placeCode(place, width);
      return [
        nd(
          view.last.data.map((v, i) => v + code[i % width]),
          view.last.shape,
        ),
      ];
    });
    if (views.length > 0) return pairOf(concat(views, 1));
    throw new NoodleError('BAD_INPUT', {
      subject: 'front, left, back, right',
      expected: 'at least one of them',
      got: 'none',
    });
  },
});

export const voxelToMeshBasic = define({
  name: 'VoxelToMeshBasic',
  displayName: 'VoxelToMeshBasic',
  description: 'The sides of all blocks above a threshold.',
  inputs: { voxel: voxel(), threshold: threshold() },
  outputs: MESH,
  async run({ voxel, threshold }, context) {
    const { blockSurface } = await import('../engine/values/mesh.ts');
    return meshOf(voxel, threshold, blockSurface, context);
  },
});

export const voxelToMesh = define({
  name: 'VoxelToMesh',
  displayName: 'VoxelToMesh',
  description: 'A smooth surface around what is above a threshold, or the sides of its blocks.',
  inputs: {
    voxel: voxel(),
    algorithm: combo(['surface net', 'basic'] as const),
    threshold: threshold(),
  },
  outputs: MESH,
  async run({ voxel, algorithm, threshold }, context) {
    const { blockSurface, netSurface } = await import('../engine/values/mesh.ts');
    const surface = algorithm === 'basic' ? blockSurface : netSurface;
    return meshOf(voxel, threshold, surface, context);
  },
});

export const saveGlb = define({
  name: 'SaveGLB',
  displayName: 'SaveGLB',
  description: 'Saves surfaces as GLB files.',
  inputs: {
    mesh: socket<Mesh>('MESH', undefined, ['surfaces']),
    filename_prefix: string({ default: 'mesh/ComfyUI' }),
  },
  hidden: workflowInputs,
  outputs: [],
  outputNode: true,
  validate: savable('.glb'),
  async run({ mesh, filename_prefix, prompt, extra_pnginfo }, { services }) {
    const { encodeGlb } = await import('../engine/media/glb.ts');
    const { folders, options } = services;
    const to = folders.saveTarget(filename_prefix, 'output');
    const texts = options.disableMetadata ? [] : workflowTexts(prompt, extra_pnginfo);
    let { counter } = to;
    const saved = mesh.surfaces.map(({ vertices, faces }) => {
      if (faces.length === 0) {
        const expected = 'at least one triangle: is anything above the threshold?';
        throw new NoodleError('BAD_INPUT', { subject: 'mesh', expected, got: 'none' });
      }
      const bytes = encodeGlb(vertices, faces, texts);
      const file = folders.writeNumbered({ ...to, counter }, '.glb', bytes);
      counter = file.counter + 1;
      return { filename: file.name, subfolder: to.subfolder, type: 'output' };
    });
    return { ui: { '3d': saved } };
  },
});

export const meshNodes: readonly NodeDefinition[] = [
  hunyuan3dConditioning,
  hunyuan3dConditioningMultiView,
  voxelToMeshBasic,
  voxelToMesh,
  saveGlb,
];
