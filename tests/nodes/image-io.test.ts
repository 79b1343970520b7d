import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { full } from '../../engine/array/nd.ts';
import type { NodeContext, NodeDefinition, NodeOutput } from '../../engine/graph/definition.ts';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
import { readPngText } from '../../engine/workflow/png-text.ts';
import { createFolders, type Folders } from '../../engine/store/folders.ts';
import { getImageSize } from '../../nodes/image.ts';
import { loadImage, loadImageMask, previewImage, saveImage } from '../../nodes/image-io.ts';
import { saveAnimatedPng, saveAnimatedWebp } from '../../nodes/image-animation.ts';
import { loadLatent, saveLatent } from '../../nodes/latent-io.ts';
import { maskPreview } from '../../nodes/mask.ts';
import { assertLikeReference } from '../support/object-info.ts';

let base: string;
let folders: Folders;
let sent: string[];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'noodle-nodes-'));
  folders = createFolders({ base });
  sent = [];
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const context = (disableMetadata = false): NodeContext => {
  const services = { folders, options: { disableMetadata } };
  return { services, sendText: (text: string) => sent.push(text) } as unknown as NodeContext;
};

async function shown(
  node: NodeDefinition,
  inputs: Record<string, unknown>,
  disableMetadata = false,
): Promise<{ filename: string; subfolder: string; type: string }[]> {
  const output = (await node.run(inputs, context(disableMetadata))) as NodeOutput;
  return output.ui?.['images'] as { filename: string; subfolder: string; type: string }[];
}

describe('SaveImage', () => {
  const images = full([2, 3, 4, 3], 0.5);

  it('counts on from what is there and names its files', async () => {
    const inputs = { images, filename_prefix: 'sub/pic_%width%x%height%' };
    const first = await shown(saveImage, inputs);
    const second = await shown(saveImage, inputs);
    expect([...first, ...second].map(({ filename }) => filename)).toEqual(
      [1, 2, 3, 4].map((n) => `pic_4x3_0000${n}_.png`),
    );
    expect(first[0]).toMatchObject({ subfolder: 'sub', type: 'output' });
    expect(readdirSync(join(folders.output, 'sub')).length).toBe(4);
  });

  it('puts the number in the batch where %batch_num% stands', async () => {
    const saved = await shown(saveImage, { images, filename_prefix: 'b%batch_num%' });
    expect(saved.map(({ filename }) => filename)).toEqual(['b0_00001_.png', 'b1_00002_.png']);
  });

  it('writes the workflow unless metadata is off', async () => {
    const inputs = {
      images,
      filename_prefix: 'p',
      prompt: { '1': { class_type: 'X' } },
      extra_pnginfo: { workflow: { version: 0.4 } },
    };
    const textsOf = async ({ filename }: { filename: string }): Promise<unknown> => [
      ...(await readPngText(readFileSync(join(folders.output, filename)))),
    ];
    expect(await textsOf((await shown(saveImage, inputs))[0])).toEqual([
      ['prompt', '{"1": {"class_type": "X"}}'],
      ['workflow', '{"version": 0.4}'],
    ]);
    expect(await textsOf((await shown(saveImage, inputs, true))[0])).toEqual([]);
  });

  it('refuses a prefix that leaves the output folder', async () => {
    await expect(shown(saveImage, { images, filename_prefix: '../../x' })).rejects.toMatchObject({
      code: 'SAVE_OUTSIDE',
    });
  });
});

it('previews go to the temp folder under a name of their own', async () => {
  const [image] = await shown(previewImage, { images: full([1, 2, 2, 3], 1) });
  expect(image).toMatchObject({ subfolder: '', type: 'temp' });
  expect(image.filename).toMatch(/^ComfyUI_temp_[a-z]{5}_00001_\.png$/);
  const [mask] = await shown(maskPreview, { mask: full([2, 2], 1) });
  expect(readdirSync(folders.temp)).toContain(mask.filename);
});

describe('LoadImage', () => {
  const pixels = { width: 1, height: 1, channels: 4, data: Uint8Array.of(255, 0, 51, 51) } as const;

  it.each([
    ['missing.png', 'Invalid image file: missing.png'],
    ['here.png', true],
    ['../here.png', 'Invalid image file: ../here.png'],
  ])('%s is checked: %s', async (image, expected) => {
    writeFileSync(join(folders.input, 'here.png'), '');
    expect(await loadImage.validate?.check({ image }, {}, folders)).toBe(expected);
  });

  it('is read again when the file’s content changes', async () => {
    const path = join(folders.input, 'a.png');
    writeFileSync(path, 'one');
    const first = await loadImage.isChanged?.({ image: 'a.png' }, context());
    // sha256 of the three letters
    expect(first).toBe('7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed');
    writeFileSync(path, 'two');
    expect(await loadImage.isChanged?.({ image: 'a.png' }, context())).not.toBe(first);
  });

  it('reads pixels and mask, also from the output folder', async () => {
    writeFileSync(join(folders.output, 'x.png'), await encodePng(pixels, { level: 4 }));
    const [image, mask] = (await loadImage.run({ image: 'x.png [output]' }, context())) as {
      data: Float32Array;
    }[];
    expect([...image.data]).toEqual([1, 0, Math.fround(0.2)]);
    expect(mask.data[0]).toBeCloseTo(0.8, 6);
    const [red] = (await loadImageMask.run(
      { image: 'x.png [output]', channel: 'red' },
      context(),
    )) as { data: Float32Array; shape: number[] }[];
    expect([red.data[0], red.shape]).toEqual([1, [1, 1, 1]]);
  });

  it('names the file that is no picture', async () => {
    writeFileSync(join(folders.input, 'bad.png'), 'no picture');
    await expect(loadImage.run({ image: 'bad.png' }, context())).rejects.toThrow(
      'Invalid image file: bad.png',
    );
  });
});

it('LoadLatent words its check as the reference does', async () => {
  expect(await loadLatent.validate?.check({ latent: 'x.latent' }, {}, folders)).toBe(
    'Invalid latent file: x.latent',
  );
});

it('GetImageSize tells the client too', async () => {
  const result = await getImageSize.run({ image: full([3, 20, 10, 3], 0) }, context());
  expect(result).toEqual([10, 20, 3]);
  expect(sent).toEqual(['width: 10, height: 20\n batch size: 3']);
});

it.each([
  [saveImage, { images: full([1, 2, 3, 3], 0.5), filename_prefix: 'p' }],
  [previewImage, { images: full([1, 2, 3, 3], 0.5) }],
  [maskPreview, { mask: full([1, 2, 3], 0.5) }],
  [saveLatent, { samples: { samples: full([1, 4, 2, 3], 0.5) }, filename_prefix: 'p' }],
  [saveAnimatedPng, { images: full([2, 2, 3, 3], 0.5), filename_prefix: 'p', fps: 6 }],
  [
    saveAnimatedWebp,
    {
      images: full([2, 2, 3, 3], 0.5),
      filename_prefix: 'p',
      fps: 6,
      method: 'default',
      lossless: true,
      quality: 80,
    },
  ],
] as const)('$name passes on what it saves or shows', async (node, inputs) => {
  assertLikeReference(node);
  const { result } = (await node.run(inputs, context())) as NodeOutput;
  expect((result as unknown[])[0]).toBe(Object.values(inputs)[0]);
});
