import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Encoding, toLinearLight } from '../../engine/array/light.ts';
import { map, type NDArray } from '../../engine/node.ts';
import type { NodeContext, NodeOutput } from '../../engine/graph/definition.ts';
import { encodeExr } from '../../engine/media/formats/exr.ts';
import { readPng } from '../../engine/media/formats/png/chunks.ts';
import { readSamples } from '../../engine/media/formats/png/samples.ts';
import { createFolders, type Folders } from '../../engine/store/folders.ts';
import { readPngText } from '../../engine/workflow/png-text.ts';
import { saveImageAdvanced } from '../../nodes/image-save.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';
import { assertLikeReference } from '../support/object-info.ts';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Computed by the reference (0.33): linear light of a pattern, and the hex digits of a whole file. */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/saved-0.33.json', import.meta.url), 'utf8'),
) as Record<`exr ${Encoding}`, Numbers> & { 'exr file': string };

/** Numbers -0.25..1.25. */
const beyond = (shape: readonly number[]): NDArray =>
  map(pattern(shape), (v) => Math.fround(Math.fround(v * 1.5) - 0.25));

let base: string;
let folders: Folders;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'noodle-saved-'));
  folders = createFolders({ base });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

type Format = Record<string, string>;
async function save(images: NDArray, format: Format, disableMetadata = false): Promise<Buffer[]> {
  const services = { folders, options: { disableMetadata } };
  const context = { services, progress: () => undefined } as unknown as NodeContext;
  const hidden = { prompt: { a: 1 }, extra_pnginfo: { workflow: { b: 2 } } };
  const inputs = { images, filename_prefix: 'p', format, ...hidden };
  const { ui, result } = (await saveImageAdvanced.run(inputs, context)) as NodeOutput;
  expect(result).toEqual([images]);
  const files = ui?.images as { filename: string; type: string }[];
  return files.map(({ filename }) => readFileSync(join(folders.output, filename)));
}

/** Header attributes by name (`type value` in hex), and what comes behind the table of lines. */
function readExr(bytes: Buffer): { attributes: Map<string, string>; lines: Buffer[] } {
  const attributes = new Map<string, string>();
  let at = 8;
  const text = (): string => {
    const end = bytes.indexOf(0, at);
    const found = bytes.toString('utf8', at, end);
    at = end + 1;
    return found;
  };
  let height = 0;
  for (let name = text(); name !== ''; name = text()) {
    const type = text();
    const size = bytes.readInt32LE(at);
    const value = bytes.subarray(at + 4, at + 4 + size);
    if (name === 'dataWindow') height = value.readInt32LE(12) + 1;
    attributes.set(name, `${type} ${value.toString('hex')}`);
    at += 4 + size;
  }
  const lines = Array.from({ length: height }, (_, y) => {
    const start = Number(bytes.readBigUInt64LE(at + y * 8));
    return bytes.subarray(start, start + 8 + bytes.readInt32LE(start + 4));
  });
  return { attributes, lines };
}

describe('SaveImageAdvanced', () => {
  it('prints as the reference', () => assertLikeReference(saveImageAdvanced));

  it.each([1, 3, 4])('writes %d channels of 16 bits, cut as the reference cuts', async (count) => {
    const [file] = await save(beyond([1, 2, 3, count]), { format: 'png', bit_depth: '16-bit' });
    const png = readPng(file);
    expect(png.header.bitDepth).toBe(16);
    const samples = [...(await readSamples(png.header, png.frames[0]))];
    const cut = (v: number): number =>
      Math.trunc(Math.min(65535, Math.max(0, Math.fround(v * 65535))));
    expect(samples).toEqual([...beyond([1, 2, 3, count]).data].map(cut));
    expect([...(await readPngText(file))]).toEqual([
      ['prompt', '{"a": 1}'],
      ['workflow', '{"b": 2}'],
    ]);
  });

  it('names files without a last underscore, and counts on', async () => {
    const format = { format: 'png', bit_depth: '8-bit' };
    await save(pattern([2, 2, 3, 3]), format);
    await save(pattern([1, 2, 3, 3]), format);
    expect(folders.filesOf('output').sort()).toEqual([1, 2, 3].map((n) => `p_0000${n}.png`));
  });

  it.each(['sRGB', 'HDR', 'linear'] as const)('takes %s for linear light', (encoding) => {
    expectArray(toLinearLight(beyond([2, 3, 4]), encoding), reference[`exr ${encoding}`]);
  });

  it('writes EXR as the reference does, with the ratio of pixels that readers ask for', () => {
    const text = [
      ['prompt', '{"a": 1}'],
      ['workflow', '{"b": 2}'],
    ] as const;
    const ours = readExr(encodeExr(beyond([2, 3, 3]), { text, gamut: 'Rec.2020' }));
    const theirs = readExr(Buffer.from(reference['exr file'], 'hex'));
    expect(ours.lines).toEqual(theirs.lines);
    expect(ours.attributes.get('pixelAspectRatio')).toBe('float 0000803f');
    ours.attributes.delete('pixelAspectRatio');
    for (const name of ['gamma', 'writer']) theirs.attributes.delete(name);
    expect([...ours.attributes]).toEqual([...theirs.attributes]);
  });

  it('keeps texts out of what says how an EXR is read', () => {
    const image = pattern([2, 3, 3]);
    const keys = ['channels', 'compression', 'dataWindow', 'chromaticities', 'tiles', 'workflow'];
    const text = keys.map((key) => [key, '{}'] as const);
    const plain = readExr(encodeExr(image, { gamut: 'Rec.709', text: [['workflow', '{}']] }));
    expect(readExr(encodeExr(image, { gamut: 'Rec.709', text }))).toEqual(plain);
  });

  it('writes EXR files of gray pictures, says nothing where metadata is off', async () => {
    const format = { format: 'exr', bit_depth: '32-bit float', input_color_space: 'HDR' };
    const images = pattern([2, 2, 3]);
    const [, second] = await save(images, format, true);
    const { attributes, lines } = readExr(second);
    expect(lines.length).toBe(2);
    expect(attributes.has('chromaticities') || attributes.has('prompt')).toBe(false);
    expect(readExr((await save(images, format))[0]).attributes.has('chromaticities')).toBe(true);
  });

  it('refuses pictures of two channels', async () => {
    const saving = save(pattern([1, 2, 3, 2]), { format: 'png', bit_depth: '8-bit' });
    await expect(saving).rejects.toThrow('pictures of 1, 3 or 4 channels');
  });
});
