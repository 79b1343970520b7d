import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { NodeContext, NodeDefinition } from '../../engine/graph/definition.ts';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import { toPixels } from '../../engine/media/to-array.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { imageCompare, webcamCapture } from '../../nodes/image-io.ts';
import { imageCropV2 } from '../../nodes/image-resize.ts';
import { buildJsonPromptIdeogram } from '../../nodes/json-prompt.ts';
import { saveSvg, saveText } from '../../nodes/save-text.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-save-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
const services = { folders, options: { disableMetadata: false } };
const context = { progress: () => undefined, services } as unknown as NodeContext;

interface Shown {
  readonly result: readonly unknown[];
  readonly ui: Record<string, { filename: string; subfolder: string }[]>;
}
const run = async (node: NodeDefinition, inputs: Record<string, unknown>): Promise<Shown> =>
  (await node.run(inputs, context)) as Shown;

describe('savers of texts, drawings and comparisons', () => {
  it.each(
    [saveText, saveSvg, imageCompare, webcamCapture, buildJsonPromptIdeogram].map(
      (node) => [node.name, node] as const,
    ),
  )('%s prints as the reference', (_, node) => assertLikeReference(node));

  it('saves texts under numbers without a tail', async () => {
    const save = (text: string, format: string) =>
      run(saveText, { text, filename_prefix: 'notes/day', format });
    const first = await save('héllo', 'txt');
    expect(first.result).toEqual(['héllo']);
    expect(first.ui.files).toEqual([
      { filename: 'day_00001.txt', subfolder: 'notes', type: 'output' },
    ]);
    await save('{"a":[1.0,"é"]}', 'json');
    await save('{no json', 'json');
    const read = (name: string) => readFileSync(join(folders.output, 'notes', name), 'utf8');
    expect(read('day_00001.txt')).toBe('héllo');
    expect(read('day_00002.json')).toBe('{\n  "a": [\n    1.0,\n    "é"\n  ]\n}');
    expect(read('day_00003.json')).toBe('{no json');
    await expect(
      save('x', 'txt').then(() =>
        run(saveText, { text: 'x', filename_prefix: '../x', format: 'md' }),
      ),
    ).rejects.toThrow();
  });

  it('writes the workflow into drawings', async () => {
    const svg = {
      data: ['<svg width="2"></svg>', '<svg/>'].map((text) => new TextEncoder().encode(text)),
    };
    const inputs = { svg, filename_prefix: 'svg/a', prompt: { 1: ']]>' }, extra_pnginfo: null };
    const { ui, result } = await run(saveSvg, inputs);
    expect(result).toEqual([svg]);
    expect(ui.images.map(({ filename }) => filename)).toEqual(['a_00001_.svg', 'a_00002_.svg']);
    const text = readFileSync(join(folders.output, 'svg/a_00001_.svg'), 'utf8');
    expect(text).toMatch(/^<svg width="2">\n {2}<metadata>[^]*"prompt"[^]*<\/metadata>\n<\/svg>$/);
    expect(text.match(/\]\]>/g)!.length).toBe(2);
    await run(saveSvg, { ...inputs, prompt: null });
    expect(readFileSync(join(folders.output, 'svg/a_00003_.svg'), 'utf8')).toBe(
      '<svg width="2"></svg>',
    );
  });

  it('builds prompts of JSON', () => {
    const build = (style: object, rest: object = {}): unknown[] =>
      buildJsonPromptIdeogram.run(
        {
          element: [{ type: 'obj' }],
          high_level_description: ' ',
          background: 'sky',
          style,
          aesthetics: 'calm',
          lighting: 'dusk',
          medium: 'photograph',
          color_palette: [],
          ...rest,
        },
        context,
      ) as unknown[];
    const compositional_deconstruction = { background: 'sky', elements: [{ type: 'obj' }] };
    expect(build({ style: 'none' })).toEqual([{ compositional_deconstruction }]);
    const text = JSON.stringify(
      build(
        { style: 'photo', photo: '35mm' },
        { high_level_description: 'a', color_palette: ['#ff00aa'] },
      )[0],
    );
    expect(text).toBe(
      '{"high_level_description":"a","style_description":{"aesthetics":"calm","lighting":"dusk",' +
        '"photo":"35mm","medium":"photograph","color_palette":["#FF00AA"]},' +
        `"compositional_deconstruction":${JSON.stringify(compositional_deconstruction)}}`,
    );
  });

  it('shows two pictures to compare', async () => {
    const { ui } = await run(imageCompare, { image_a: pattern([1, 4, 4, 3]) });
    expect(ui.b_images).toEqual([]);
    expect(ui.a_images[0].filename).toMatch(/^comfy\.compare\.a_temp_[a-z]{5}_00001_\.png$/);
    expect(readdirSync(folders.temp)).toContain(ui.a_images[0].filename);
  });

  it('loads what a camera took, and cuts it', async () => {
    const picture = pattern([1, 5, 7, 3]);
    writeFileSync(
      join(folders.input, 'cam.png'),
      await encodePng(toPixels(picture, 0), { level: 1 }),
    );
    const inputs = { image: 'cam.png', width: 0, height: 0, capture_on_queue: true };
    const loaded = (await webcamCapture.run(inputs, context)) as (typeof picture)[];
    expect(loaded.length).toBe(1);
    expectArray(loaded[0], { shape: picture.shape, data: [...picture.data] }, 2);
    const crop_region = { x: 2, y: 1, width: 3, height: 9 };
    const { result, ui } = await run(imageCropV2, { image: picture, crop_region });
    expect((result[0] as typeof picture).shape).toEqual([1, 4, 3, 3]);
    expect(ui.images.length).toBe(1);
    const bad = run(imageCropV2, { image: picture, crop_region: { x: -1 } });
    await expect(bad).rejects.toThrow('crop_region');
  });
});
