/**
 * Process replay: what the architectures trace to and what that is lowered to, as text. A change of
 * the tensor layer or the lowering that is not meant to change any graph leaves these files as they
 * are; one that is meant to shows here what it changes (`npx vitest run -u` writes them anew).
 */
import { describe, expect, it } from 'vitest';
import { clipText, detectClip } from '../../../engine/arch/clip.ts';
import { decodeTaesd } from '../../../engine/arch/taesd.ts';
import { decode, encode } from '../../../engine/arch/vae.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { portable } from '../../../engine/onnx/portable.ts';
import { printModel } from '../../../engine/onnx/print.ts';
import { providers } from '../../../engine/runtime/providers.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { printProgram } from '../../../engine/tensor/print.ts';
import { type Graph, type Program, trace } from '../../../engine/tensor/trace.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import type { WeightSource } from '../../../engine/weights/source.ts';
import { fromDiffusersVae } from '../../../engine/weights/key-maps/diffusers-vae.ts';
import { tinyUNet } from '../../support/tiny-unet.ts';

const data = new URL('../../golden/data/', import.meta.url);
const replay = new URL('../../fixtures/replay/', import.meta.url);

const open = async (path: string): Promise<WeightSource> =>
  openSafetensors(new URL(path, data).pathname);

async function traceClip(path: string): Promise<Program> {
  const source = await open(path);
  const { positions, width } = detectClip(openWeights(source))!;
  return trace('clip', source, (g) => {
    const inputs = {
      tokens: g.input('tokens', 'i64', ['batch', positions]),
      end: g.input('end', 'f32', ['batch', 1, positions]),
      padding: g.input('padding', 'f32', ['batch', 1, 1, positions]),
      inserted: {
        keep: g.input('keep', 'f32', ['batch', positions, 1]),
        rows: g.input('rows', 'f32', ['batch', positions, width]),
      },
    };
    const options = { activation: 'quickGelu', layer: -2, finalNorm: true } as const;
    return { ...clipText(g.weights, inputs, { ...options, projected: false }) };
  });
}

const tracePictures = (
  name: string,
  source: WeightSource,
  channels: number,
  build: (g: Graph, x: Tensor) => Tensor,
): Program =>
  trace(name, source, (g) => ({
    out: build(g, g.input('x', 'f32', ['batch', channels, 'height', 'width'])),
  }));

const vae16 = async (): Promise<WeightSource> =>
  fromDiffusersVae(await open('vae/models/vae16_diffusers.safetensors'));

const programs: Readonly<Record<string, () => Promise<Program>>> = {
  'unet-inpaint': () => tinyUNet('inpaint9'),
  'unet-sd2': () => tinyUNet('sd2'),
  'clip-l': () => traceClip('text-encoders/models/clip_l.safetensors'),
  'vae-encode': async () =>
    tracePictures('vae-encode', await vae16(), 3, (g, x) => encode(g.weights, x)),
  'vae-decode': async () =>
    tracePictures('vae-decode', await vae16(), 16, (g, x) => decode(g.weights, x)),
  'taesd-decode': async () =>
    tracePictures('taesd-decode', await open('vae/models/taesd_decoder.safetensors'), 4, (g, x) =>
      decodeTaesd(g.weights, x),
    ),
};

describe.each(Object.entries(programs))('%s', (name, build) => {
  const file = (kind: string): string => new URL(`${name}.${kind}.txt`, replay).pathname;

  it('traces to the same program', async () => {
    await expect(printProgram(await build())).toMatchFileSnapshot(file('program'));
  });

  it.each([
    ['cpu', { ...providers.cpu, block: 16 }],
    ['portable', { table: portable }],
  ] as const)('lowers to the same graph for %s', async (provider, target) => {
    const model = printModel(lower(await build(), target));
    await expect(model).toMatchFileSnapshot(file(provider));
  });
});
