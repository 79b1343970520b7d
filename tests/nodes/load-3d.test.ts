import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Image, Mask } from '../../engine/node.ts';
import type { NodeContext } from '../../engine/graph/definition.ts';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import { createFolders } from '../../engine/store/folders.ts';
import * as nodes from '../../nodes/load-3d.ts';
import { assertLikeReference } from '../support/object-info.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-3d-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
const context = { services: { folders } } as unknown as NodeContext;

/** One pixel, as the page uploads it to the temp folder. */
async function drawn(name: string, pixel: readonly number[]): Promise<string> {
  const data = Uint8Array.from(pixel);
  const png = await encodePng({ data, width: 1, height: 1, channels: 4 }, { level: 1 });
  mkdirSync(join(folders.directory('temp'), 'threed'), { recursive: true });
  writeFileSync(join(folders.directory('temp'), 'threed', name), png);
  return `threed/${name} [temp]`;
}

describe('3D models', () => {
  it.each(nodes.load3dNodes.map((node) => [node.name, node] as const))(
    '%s prints as the reference',
    (_, node) => assertLikeReference(node),
  );

  it('are listed from the input folder, however deep they lie', () => {
    mkdirSync(join(base, 'input/3d/more'), { recursive: true });
    for (const name of ['b.GLB', 'a.obj', 'more/c.gltf', 'notes.txt']) {
      writeFileSync(join(base, 'input/3d', name), '');
    }
    const listed = ({ inputs }: (typeof nodes)['load3d']) => {
      const { choices } = inputs.model_file;
      return typeof choices === 'function' ? choices(folders) : choices;
    };
    expect(listed(nodes.load3d)).toEqual(['3d/a.obj', '3d/b.GLB', '3d/more/c.gltf']);
    expect(listed(nodes.load3dAnimation)).toEqual(['3d/b.GLB', '3d/more/c.gltf']);
  });

  it('come with what the page drew of them', async () => {
    const image = {
      image: await drawn('image.png', [255, 0, 0, 255]),
      mask: await drawn('mask.png', [0, 0, 0, 51]),
      normal: await drawn('normal.png', [0, 255, 0, 255]),
      lineart: await drawn('lineart.png', [0, 0, 255, 255]),
      camera_info: { position: { x: 1, y: 2, z: 3 }, zoom: 1 },
      recording: '',
    };
    const inputs = { model_file: '3d/a.obj', image, width: 1, height: 1 };
    const result = (await nodes.load3d.run(inputs, context)) as readonly unknown[];
    expect([...(result[0] as Image).data]).toEqual([1, 0, 0]);
    expect((result[1] as Mask).data[0]).toBeCloseTo(0.8, 6);
    expect(result[2]).toBe('3d/a.obj');
    expect([...(result[3] as Image).data]).toEqual([0, 1, 0]);
    expect([...(result[4] as Image).data]).toEqual([0, 0, 1]);
    expect(result.slice(5)).toEqual([image.camera_info, null]);

    const recording = image.mask;
    const moving = { ...inputs, image: { ...image, recording, lineart: undefined } };
    const film = (await nodes.load3dAnimation.run(moving, context)) as readonly unknown[];
    expect(film.length).toBe(6);
    expect(film[5]).toEqual({ file: folders.annotatedFile(recording) });
    await expect(nodes.load3d.run(moving, context)).rejects.toThrow('image.lineart');
    const outside = { ...inputs, image: { ...image, mask: '../../secret.png' } };
    await expect(nodes.load3d.run(outside, context)).rejects.toThrow();
  });

  it('are shown by the page', () => {
    const inputs = { model_file: 'mesh/a.glb' };
    expect(nodes.preview3d.run(inputs, context)).toEqual({ ui: { result: ['mesh/a.glb', null] } });
    const camera_info = { zoom: 2 };
    expect(nodes.preview3dAnimation.run({ ...inputs, camera_info }, context)).toEqual({
      ui: { result: ['mesh/a.glb', camera_info] },
    });
  });
});
