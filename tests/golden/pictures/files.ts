/** Golden cases about picture and latent files. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NDArray } from '../../../engine/array/nd.ts';
import type { NodeOutput } from '../../../engine/graph/definition.ts';
import { readPngText } from '../../../engine/workflow/png-text.ts';
import { readPng } from '../../../engine/media/formats/png/chunks.ts';
import { decodePng } from '../../../engine/media/formats/png/decode.ts';
import type { Latent } from '../../../engine/values/media.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { floatTensor, writeSafetensors } from '../../../engine/weights/write.ts';
import { parseJson } from '../../../engine/workflow/lossless-json.ts';
import { loadImage, loadImageMask, saveImage } from '../../../nodes/image-io.ts';
import { loadLatent, saveLatent } from '../../../nodes/latent-io.ts';
import type { Comparison } from '../area.ts';
import { compare } from '../area.ts';
import { check, contextWith, type PictureCase, runNode, withFolders } from './run-node.ts';

const exact = { atol: 0, rtol: 0 };

/** Two texts, compared by their bytes. */
function sameText(name: string, got: string | undefined, expected: unknown): Comparison {
  const bytes = (text: unknown): { data: Uint8Array; shape: number[] } => {
    const data = Buffer.from(String(text));
    return { data, shape: [data.length] };
  };
  return compare(name, bytes(got), bytes(expected), exact);
}

async function pngPixels(
  bytes: Uint8Array,
): Promise<{ data: Uint8Array; shape: number[]; text: Map<string, string> }> {
  const png = readPng(bytes);
  const [{ width, height, rgb, alpha }] = await decodePng(png);
  const channels = alpha ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    for (let k = 0; k < 3; k++) data[i * channels + k] = rgb[i * 3 + k];
    if (alpha) data[i * channels + 3] = alpha[i];
  }
  return { data, shape: [height, width, channels], text: await readPngText(bytes) };
}

/** LoadImage and LoadImageMask on a file with these bytes. */
export function loadFile(golden: PictureCase): Promise<Comparison[]> {
  return withFolders(async (folders) => {
    const name = String(golden.params['file_name']);
    await writeFile(join(folders.input, name), golden.tensor('in.file').data as Uint8Array);
    const context = contextWith(folders);
    const [picture, mask] = await runNode(loadImage, { image: name }, context);
    const results = [check(golden, 'out.image', picture), check(golden, 'out.mask', mask)];
    for (const [key, params] of Object.entries(golden.params.outputs)) {
      if (!('channel' in params)) continue;
      const inputs = { image: name, channel: params['channel'] };
      const [channel] = await runNode(loadImageMask, inputs, context);
      results.push(check(golden, key, channel));
    }
    return results;
  });
}

/** SaveImage: names, pixels and texts of what it writes, and the reference's own files. */
export async function saveFiles(golden: PictureCase, path: string): Promise<Comparison[]> {
  // The texts depend on 1.0 staying 1.0, which plain JSON parsing would lose.
  const { metadata } = await openSafetensors(path);
  const { prompt, extra_pnginfo } = parseJson(metadata['case']) as Record<string, unknown>;
  return withFolders(async (folders) => {
    const save = async (images: NDArray, filename_prefix: string): Promise<string[]> => {
      const inputs = { images, filename_prefix, prompt, extra_pnginfo };
      const { ui } = (await saveImage.run(inputs, contextWith(folders))) as NodeOutput;
      return (ui?.['images'] as { filename: string }[]).map(({ filename }) => filename);
    };
    const names = await save(golden.array('in.images'), 'golden');
    const rgba = golden.optional('in.rgba');
    const [rgbaName] = rgba ? await save(rgba, 'rgba') : [];
    const results: Comparison[] = [];
    for (const [key, params] of Object.entries(golden.params.outputs)) {
      if (key.startsWith('out.png_')) {
        const { data, shape } = await pngPixels(golden.tensor(key).data as Uint8Array);
        const pixels = golden.numbers(key.replace('png', 'pixels'));
        results.push(compare(key, { data, shape }, pixels, exact));
        continue;
      }
      const name = key === 'out.pixels_rgba' ? rgbaName : names[Number(key.split('_')[1])];
      const { data, shape, text } = await pngPixels(await readFile(join(folders.output, name)));
      results.push(compare(key, { data, shape }, golden.numbers(key), exact));
      if ('file_name' in params) {
        results.push(sameText(`${key} name`, name, params['file_name']));
      }
      for (const [word, value] of Object.entries(params['text'] ?? {})) {
        results.push(sameText(`${key} ${word}`, text.get(word), value));
      }
    }
    return results;
  });
}

/** SaveLatent, LoadLatent of the result, of the reference's file, and of a file of the old format. */
export function latentFiles(golden: PictureCase): Promise<Comparison[]> {
  return withFolders(async (folders) => {
    const context = contextWith(folders);
    const samples = golden.array('in.samples');
    const inputs = { samples: { samples }, filename_prefix: 'lat', prompt: null };
    const { ui } = (await saveLatent.run(inputs, context)) as NodeOutput;
    const [{ filename }] = ui?.['latents'] as { filename: string }[];
    const load = async (latent: string): Promise<NDArray> => {
      const [value] = (await runNode(loadLatent, { latent }, context)) as [Latent];
      return value.samples;
    };
    const input = (name: string): string => join(folders.input, name);
    await writeFile(input('reference.latent'), golden.tensor('out.file').data as Uint8Array);
    const old = new Map([['latent_tensor', floatTensor(samples.data, samples.shape)]]);
    await writeSafetensors(input('old.latent'), old);
    return [
      sameText('file name', filename, golden.params.outputs['out.file']['file_name']),
      check(golden, 'out.new_format_loaded', await load(`${filename} [output]`)),
      check(golden, 'out.new_format_loaded', await load('reference.latent')),
      check(golden, 'out.old_format_loaded', await load('old.latent')),
    ];
  });
}
