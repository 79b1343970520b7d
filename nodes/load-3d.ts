/**
 * 3D models as the page shows them. The page draws; when a prompt is sent it uploads what it drew and names
 * the files.
 */
import { extname } from 'node:path';
import { NoodleError } from '../engine/errors.ts';
import { combo, inModule, int, optional, socket, string } from '../engine/node.ts';
import type { Context, NodeDefinition, OutputSpec } from '../engine/node.ts';
import type { Video } from '../engine/values/video.ts';
import { loadPicture } from './image-io.ts';

const define = inModule('comfy_extras.nodes_load_3d', 'v1', { category: '3d', experimental: true });

/** What the page sends: names of uploaded files by what they show, and where the camera stood. */
type Drawn = Readonly<Record<string, unknown>>;

function nameOf(drawn: Drawn, part: string): string {
  const got = drawn[part];
  if (typeof got === 'string') return got;
  const expected = 'the name of an uploaded file, as the page sends it';
  throw new NoodleError('BAD_INPUT', { subject: `image.${part}`, expected, got: got ?? null });
}

/** The model's files in the input folder `3d`. */
const modelFile = (extensions: readonly string[]) =>
  combo(
    (source) =>
      (source.inputFilesBelow?.('3d') ?? []).filter((name) =>
        extensions.includes(extname(name).toLowerCase()),
      ),
    { file_upload: true },
  );

const side = () => int({ default: 1024, min: 1, max: 4096, step: 1 });

const output = (type: string, name: string): OutputSpec => ({ type, name });

/** A loader whose page draws `extra` pictures beside picture, mask and normals. */
const loader = (
  name: string,
  displayName: string,
  socketType: string,
  extensions: readonly string[],
  extra: readonly string[],
): NodeDefinition =>
  define({
    name,
    displayName,
    description: 'A 3D model as the page shows it: the picture, its mask and normals, the camera.',
    inputs: {
      model_file: modelFile(extensions),
      image: socket<Drawn>(socketType, {}, []),
      width: side(),
      height: side(),
    },
    outputs: [
      output('IMAGE', 'image'),
      output('MASK', 'mask'),
      output('STRING', 'mesh_path'),
      ...['normal', ...extra].map((part) => output('IMAGE', part)),
      output('LOAD3D_CAMERA', 'camera_info'),
      output('VIDEO', 'recording_video'),
    ],
    run: async ({ model_file, image }, context) => {
      const drawn = (part: string) => loadPicture(nameOf(image, part), context);
      const [picture] = await drawn('image');
      const [, mask] = await drawn('mask');
      const pictures = [];
      for (const part of ['normal', ...extra]) pictures.push((await drawn(part))[0]);
      const video = recordingOf(image, context);
      return [picture, mask, model_file, ...pictures, image.camera_info ?? null, video];
    },
  });

function recordingOf(drawn: Drawn, { services }: Context): Video | null {
  const name = nameOf(drawn, 'recording');
  return name === '' ? null : { file: services.folders.annotatedFile(name) };
}

export const load3d = loader(
  'Load3D',
  'Load 3D',
  'LOAD_3D',
  ['.gltf', '.glb', '.obj', '.fbx', '.stl'],
  ['lineart'],
);

export const load3dAnimation = loader(
  'Load3DAnimation',
  'Load 3D - Animation',
  'LOAD_3D_ANIMATION',
  ['.gltf', '.glb', '.fbx'],
  [],
);

const preview = (name: string, displayName: string): NodeDefinition =>
  define({
    name,
    displayName,
    description: 'Shows the 3D model of a file of the output folder.',
    inputs: {
      model_file: string({ default: '', multiline: false }),
      camera_info: optional(socket('LOAD3D_CAMERA', {})),
    },
    outputs: [],
    outputNode: true,
    run: ({ model_file, camera_info = null }) => ({ ui: { result: [model_file, camera_info] } }),
  });

export const preview3d = preview('Preview3D', 'Preview 3D');
export const preview3dAnimation = preview('Preview3DAnimation', 'Preview 3D - Animation');

export const load3dNodes: readonly NodeDefinition[] = [
  load3d,
  load3dAnimation,
  preview3d,
  preview3dAnimation,
];
