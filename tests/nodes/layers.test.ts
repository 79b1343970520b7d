import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LAYER_MODES } from '../../engine/array/layer-blend.ts';
import { type NDArray, nd } from '../../engine/array/nd.ts';
import type { NodeContext, NodeDefinition, NodeOutput } from '../../engine/graph/definition.ts';
import { concat, map } from '../../engine/node.ts';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import { toPixels } from '../../engine/media/to-array.ts';
import { createFolders, type Folders } from '../../engine/store/folders.ts';
import {
  addLayer,
  imageCompositor,
  layerNodes,
  layersFromBoundingBoxes,
} from '../../nodes/layers.ts';
import { painter, painterNodes } from '../../nodes/painter.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';
import { assertLikeReference } from '../support/object-info.ts';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Case extends Numbers {
  readonly inputs: Record<string, unknown>;
  readonly given: unknown;
  readonly state: Record<string, unknown>;
  readonly image: Numbers;
  readonly mask: Numbers;
  readonly prints: readonly string[];
  readonly bboxes: readonly unknown[];
}

/** Computed by the reference (0.33). */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/layers-0.33.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

let base: string;
let folders: Folders;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'noodle-layers-'));
  folders = createFolders({ base });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const context = (): NodeContext =>
  ({ services: { folders, options: {} }, progress: () => undefined }) as unknown as NodeContext;
async function run(node: NodeDefinition, inputs: Record<string, unknown>): Promise<NodeOutput> {
  const given = await node.run(inputs, context());
  return (Array.isArray(given) ? { result: given as unknown[] } : given) as NodeOutput;
}
const first = async (node: NodeDefinition, inputs: Record<string, unknown>): Promise<unknown> =>
  ((await run(node, inputs)).result as readonly unknown[])[0];
const add = (inputs: Record<string, unknown>): Promise<unknown> => first(addLayer, inputs);
async function compose(
  layers: unknown,
  compositor: unknown = {},
): Promise<{ image: NDArray; mask: NDArray; ui: Record<string, readonly unknown[]> }> {
  const { result, ui } = await run(imageCompositor, { layers, compositor });
  const [image, mask] = result as NDArray[];
  return { image, mask, ui: ui as Record<string, readonly unknown[]> };
}

it.each([...layerNodes, ...painterNodes].map((node) => [node.name, node] as const))(
  '%s prints as the reference',
  (_, node) => assertLikeReference(node),
);

const bottom = pattern([1, 3, 5, 3], 53, 3);
const top = pattern([1, 3, 4, 4], 29, 7);

describe('layers', () => {
  it.each(LAYER_MODES)('blends as %s', async (blend_mode) => {
    const layers = await add({ image: bottom });
    const both = await add({ image: top, layers, x: 1, y: -1, opacity: 0.8, blend_mode });
    expectArray((await compose(both)).image, reference[`mode ${blend_mode}`], 5);
  });

  it.each(Object.keys(reference).filter((name) => name.startsWith('layer ')))(
    'places a %s',
    async (name) => {
      const { inputs, image, mask, prints, bboxes } = reference[name];
      const layers = await add({ image: top, mask: pattern([1, 2, 3], 17, 2), ...inputs });
      const ours = await compose(layers);
      expectArray(ours.image, image, 5);
      expectArray(ours.mask, mask, 5);
      expect(ours.ui.compositor_inputs).toEqual(prints);
      expect(ours.ui.compositor_bboxes).toEqual(bboxes);
      expect([ours.ui.images.length, ours.ui.compositor_layers.length]).toEqual([1, 1]);
    },
  );

  it('takes a saved composition of the same layers, and says when it is of others', async () => {
    const low = await add({ image: bottom, name: 'low', z_index: 3 });
    const layers = await add({ image: concat([top, map(top, (v) => v * 0.5)]), layers: low, x: 1 });
    const saved = await compose(layers, reference.saved.state);
    expectArray(saved.image, reference.saved.image, 5);
    expect(saved.ui.compositor_state_stale).toBeUndefined();
    const inputs = ['x', 'y', 'z'];
    const stale = await compose(layers, JSON.stringify({ ...reference.saved.state, inputs }));
    expectArray(stale.image, reference.stale.image, 5);
    expect(stale.ui.compositor_state_stale).toEqual([true]);
  });

  it('puts pictures where their boxes are', async () => {
    const image = pattern([3, 6, 7, 3], 41, 1);
    const { given: bboxes, ...theirs } = reference.boxes;
    const sizes = { canvas_width: 9, canvas_height: 8 };
    const inputs = { image, bboxes, mask: pattern([2, 6, 7], 23, 5), ...sizes };
    const ours = await compose(await first(layersFromBoundingBoxes, inputs));
    expectArray(ours.image, theirs.image, 5);
    expectArray(ours.mask, theirs.mask, 5);
    expect(ours.ui.compositor_bboxes).toEqual(theirs.bboxes);
  });

  it('needs a canvas for elements', async () => {
    const image = nd(pattern([3, 6, 7, 3], 41, 1).data.slice(0, 126), [1, 6, 7, 3]);
    const inputs = { image, bboxes: reference.elements.given };
    const sizes = { canvas_width: 20, canvas_height: 10 };
    const layers = await first(layersFromBoundingBoxes, { ...inputs, ...sizes });
    expect((await compose(layers)).ui.compositor_bboxes).toEqual(reference.elements.bboxes);
    await expect(run(layersFromBoundingBoxes, inputs)).rejects.toThrow('canvas_width');
  });

  it('gives black for no layers, and refuses what it does not know', async () => {
    expect((await compose({})).image.shape).toEqual([1, 64, 64, 3]);
    await expect(compose({ version: 2 })).rejects.toThrow('version 1');
    const item = { image: top, type: 'vector' };
    await expect(compose({ version: 1, layers: [item] })).rejects.toThrow('raster');
    const many = { version: 1, layers: Array(51).fill({ image: top }) };
    await expect(compose(many)).rejects.toThrow('at most 50 layers');
    const huge = { version: 1, layers: [{ image: top }], canvas: [16384, 16384] };
    await expect(compose(huge)).rejects.toThrow('canvas');
  });
});

describe('Painter', () => {
  const inputs = { width: 64, height: 64, bg_color: '#336699', mask: '' };

  it.each([
    ['same', pattern([2, 5, 6, 3])],
    ['sized', pattern([1, 4, 8, 3])],
  ])('lays a painting over a picture (%s)', async (name, image) => {
    const png = await encodePng(toPixels(pattern([1, 5, 6, 4], 31, 9), 0), { level: 1 });
    writeFileSync(join(folders.input, 'paint.png'), png);
    const { result, ui } = await run(painter, { ...inputs, image, mask: 'paint.png [input]' });
    const theirs = reference[`painter ${name}`];
    expectArray((result as NDArray[])[0], theirs.image);
    expectArray((result as NDArray[])[1], theirs.mask);
    expect(ui?.images?.length).toBe(1);
  });

  it('gives the plain colour where nothing is painted', async () => {
    const [image, mask] = (await run(painter, inputs)).result as NDArray[];
    expect([image.shape, mask.shape]).toEqual([
      [1, 64, 64, 3],
      [1, 64, 64],
    ]);
    expect([...image.data.subarray(0, 3)]).toEqual([0.2, 0.4, 0.6].map(Math.fround));
    expect(mask.data.every((v) => v === 0)).toBe(true);
  });
});
