/** Golden area `vae`: autoencoders, tiling, inpaint encoding, latent formats. */
import { join } from 'node:path';
import { type NDArray, nd } from '../../../engine/array/nd.ts';
import { channelsFirst } from '../../../engine/array/layout.ts';
import { roundHalfEven } from '../../../engine/array/round.ts';
import { tiledScale } from '../../../engine/array/tiled-scale.ts';
import { decode as decodeKl, encode as encodeKl } from '../../../engine/arch/vae.ts';
import { type LatentFormat, latentFormat } from '../../../engine/sampling/latent/formats.ts';
import { processIn, processOut } from '../../../engine/sampling/latent/process.ts';
import { latentPreview } from '../../../engine/sampling/latent/preview.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { openVae, taesdVae } from '../../../engine/values/autoencoders.ts';
import { taesdPreview } from '../../../engine/values/previewer.ts';
import { encodeForInpaint } from '../../../engine/values/inpaint.ts';
import {
  type Vae,
  cropToFactor,
  decode,
  decodeTiled,
  encode,
  encodeTiled,
} from '../../../engine/values/vae.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type WeightSource, sub } from '../../../engine/weights/source.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, compare, type GoldenArea } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';
import { modelFile } from '../model-file.ts';

interface Params {
  readonly op: string;
  readonly model: string;
  readonly prefix?: string;
  readonly encoder: string;
  readonly decoder: string;
  readonly variants: Readonly<Record<string, readonly [scale: number, shift: number]>>;
  readonly grow_mask_by: readonly number[];
  readonly formats: readonly string[];
  readonly scale: number;
  readonly shift: number;
  readonly cases: Readonly<
    Record<string, { tile_h: number; tile_w: number; overlap: number; factor: number }>
  >;
}

type Golden = GoldenCase<Params>;

const runtime = goldenRuntime();
const run = { runtime };

const operations: Readonly<Record<string, (golden: Golden, dir: string) => Promise<CaseResult>>> = {
  vae_decode: decodeCase,
  vae_encode: encodeCase,
  VAEEncode: encodeCase,
  VAEDecodeTiled: decodeTiledCase,
  VAEEncodeTiled: encodeTiledCase,
  VAEEncodeForInpaint: inpaintCase,
  vae16: diffusersCase,
  taesd: taesdCase,
  tiled_scale: tilingCase,
  latent_formats: formatsCase,
};

async function sourceOf(dir: string, { model, prefix = '' }: Params): Promise<WeightSource> {
  const path = modelFile(dir, 'vae', model.startsWith('..') ? model : join('models', model));
  const file = await openSafetensors(await gunzipped(path));
  return prefix === '' ? file : sub(file, prefix);
}

/** The outputs of named layers of the encoder or decoder, compared with the case's `mid.*`. */
async function middle(
  golden: Golden,
  source: WeightSource,
  x: NDArray,
  task: 'encode' | 'decode',
): Promise<Comparison[]> {
  const names = golden.names.filter((key) => key.startsWith('mid.') && key !== 'mid.cropped');
  if (names.length === 0) return [];
  const session = await runtime.session(`mid|${task}|${source.identity}|${names.join()}`, () =>
    trace(task, source, (g) => {
      const input = g.input('x', 'f32', ['batch', x.shape[1], 'height', 'width']);
      const apply = task === 'encode' ? encodeKl : decodeKl;
      const unclamped = apply(g.weights, input);
      const { sites } = g.weights.ledger;
      const inside = new Map([
        ...sites,
        ['moments', sites.get('quant_conv')],
        ['unclamped', unclamped],
      ]);
      return Object.fromEntries(names.map((name) => [name, inside.get(name.slice(4))!]));
    }),
  );
  const got = await session.run({ x });
  return names.map((name) => check(golden, name, got[name]));
}

async function decodeCase(golden: Golden, dir: string): Promise<CaseResult> {
  const source = await sourceOf(dir, golden.params);
  const latent = golden.array('in.latent');
  const image = await decode(openVae(source), latent, run);
  return {
    comparisons: [
      check(golden, 'out.image', image),
      ...(await middle(golden, source, latent, 'decode')),
    ],
  };
}

async function encodeCase(golden: Golden, dir: string): Promise<CaseResult> {
  const source = await sourceOf(dir, golden.params);
  const vae = openVae(source);
  const image = golden.array('in.image');
  const latent = await encode(vae, image, run);
  const comparisons = [check(golden, 'out.latent', latent)];
  if (golden.has('mid.cropped')) {
    const cropped = cropToFactor(image, vae.factor.space);
    const channels = golden.array('mid.cropped').shape[3];
    const data = cropped.data.filter((_, i) => i % cropped.shape[3] < channels);
    const shape = [...cropped.shape.slice(0, 3), channels];
    comparisons.push(check(golden, 'mid.cropped', nd(data, shape)));
  }
  if (golden.has('out.latent.process_in')) {
    const name = golden.params.model.includes('xl') ? 'SDXL' : 'SD15';
    const scaled = processIn(latentFormat(name), latent);
    comparisons.push(check(golden, 'out.latent.process_in', scaled));
  }
  const signed = nd(
    image.data.map((value) => value * 2 - 1),
    image.shape,
  );
  return {
    comparisons: [
      ...comparisons,
      ...(await middle(golden, source, channelsFirst(signed), 'encode')),
    ],
  };
}

/** Every `node`, `node2` ... of a case is one setting of the tiled node. */
function tiledNodes(golden: Golden): [name: string, tile: number, overlap: number][] {
  const params = golden.params as unknown as Record<string, { tile_size: number; overlap: number }>;
  return Object.keys(params)
    .filter((key) => /^node\d*$/.test(key))
    .map((key) => [key, params[key].tile_size, params[key].overlap]);
}

async function decodeTiledCase(golden: Golden, dir: string): Promise<CaseResult> {
  const vae = openVae(await sourceOf(dir, golden.params));
  const latent = golden.array('in.latent');
  const comparisons = [check(golden, 'out.image.full', await decode(vae, latent, run))];
  for (const [name, tile, overlap] of tiledNodes(golden)) {
    const size = { tile, overlap: tile < overlap * 4 ? Math.floor(tile / 4) : overlap };
    const image = await decodeTiled(vae, latent, size, run);
    comparisons.push(check(golden, `out.image.${name}`, image));
  }
  return { comparisons };
}

async function encodeTiledCase(golden: Golden, dir: string): Promise<CaseResult> {
  const vae = openVae(await sourceOf(dir, golden.params));
  const image = golden.array('in.image');
  const comparisons = [check(golden, 'out.latent.full', await encode(vae, image, run))];
  for (const [name, tile, overlap] of tiledNodes(golden)) {
    const latent = await encodeTiled(vae, image, { tile, overlap }, run);
    comparisons.push(check(golden, `out.latent.${name}`, latent));
  }
  return { comparisons };
}

async function inpaintCase(golden: Golden, dir: string): Promise<CaseResult> {
  const vae = openVae(await sourceOf(dir, golden.params));
  const comparisons: Comparison[] = [];
  for (const grow of golden.params.grow_mask_by) {
    const image = golden.array('in.image');
    const latent = await encodeForInpaint(vae, image, golden.array('in.mask'), grow, run);
    comparisons.push(check(golden, `out.latent.grow${grow}`, latent.samples));
    comparisons.push(check(golden, `out.noise_mask.grow${grow}`, latent.noise_mask!));
  }
  return { comparisons };
}

async function diffusersCase(golden: Golden, dir: string): Promise<CaseResult> {
  const { scale, shift } = golden.params;
  const vae = openVae(await sourceOf(dir, golden.params));
  const encoded = await encode(vae, golden.array('in.image'), run);
  const format: LatentFormat = { ...latentFormat('Flux'), scale, shift };
  return {
    comparisons: [
      check(golden, 'out.latent.encoded', encoded),
      check(golden, 'out.latent.process_in_flux', processIn(format, encoded)),
      check(golden, 'out.image.decoded', await decode(vae, golden.array('in.latent'), run)),
    ],
  };
}

async function taesdCase(golden: Golden, dir: string): Promise<CaseResult> {
  const { encoder, decoder, variants } = golden.params;
  const open = async (name: string) =>
    await openSafetensors(modelFile(dir, 'vae', join('models', name)));
  const files = { encoder: await open(encoder), decoder: await open(decoder) };
  const comparisons: Comparison[] = [];
  const latent = golden.array('in.latent');
  for (const [name, [scale, shift]] of Object.entries(variants)) {
    const vae: Vae = taesdVae(files, { scale, shift });
    const raw = nd(
      latent.data.map((z) => z / scale + shift),
      latent.shape,
    );
    comparisons.push(check(golden, `out.image.${name}`, await decode(vae, raw, run)));
    const encoded = await encode(vae, golden.array('in.image'), run);
    comparisons.push(check(golden, `out.latent.${name}`, encoded));
  }
  const x0 = golden.array('in.x0');
  const preview = await taesdPreview(taesdVae(files, { scale: 1, shift: 0 }), x0, run);
  const shape = [preview.height, preview.width, 3];
  const expected = golden.numbers('out.preview_uint8');
  // one grey level is rounding
  const close = { atol: 1, rtol: 0 };
  comparisons.push(compare('out.preview_uint8', { data: preview.rgb, shape }, expected, close));
  return { comparisons };
}

async function tilingCase(golden: Golden): Promise<CaseResult> {
  const x = golden.array('in.x');
  const comparisons: Comparison[] = [];
  for (const [name, { tile_h, tile_w, overlap, factor }] of Object.entries(golden.params.cases)) {
    const tiling = { tileHeight: tile_h, tileWidth: tile_w, overlap, factor };
    const got = await tiledScale(x, async (tile) => resizePlusMean(tile, factor), tiling);
    comparisons.push(check(golden, `out.${name}`, got));
  }
  return { comparisons };
}

/** The case's function: nearest resize by the factor plus the mean of the tile. */
function resizePlusMean(tile: NDArray, factor: number): NDArray {
  const [batch, channels, height, width] = tile.shape;
  const [h, w] = [roundHalfEven(height * factor), roundHalfEven(width * factor)];
  const mean = tile.data.reduce((sum, value) => sum + value, 0) / tile.data.length;
  const out = new Float32Array(batch * channels * h * w);
  for (let i = 0; i < out.length; i++) {
    const plane = Math.floor(i / (h * w));
    const y = Math.floor((Math.floor((i % (h * w)) / w) * height) / h);
    const x = Math.floor(((i % w) * width) / w);
    out[i] = tile.data[(plane * height + y) * width + x] + mean;
  }
  return nd(out, [batch, channels, h, w]);
}

async function formatsCase(golden: Golden): Promise<CaseResult> {
  const comparisons: Comparison[] = [];
  for (const name of golden.params.formats) {
    const format = latentFormat(name);
    const x = golden.array(`in.x.${name}`);
    comparisons.push(check(golden, `out.in.${name}`, processIn(format, x)));
    comparisons.push(check(golden, `out.out.${name}`, processOut(format, x)));
    const preview = latentPreview(format, x);
    if (preview && golden.has(`out.rgb.${name}`)) {
      const { rgb, height, width } = preview;
      const expected = golden.numbers(`out.rgb.${name}`);
      const shaped = { data: rgb, shape: [height, width, 3] };
      comparisons.push(compare(`out.rgb.${name}`, shaped, expected, { atol: 1, rtol: 0 }));
    }
  }
  return { comparisons };
}

function check(golden: Golden, name: string, got: NDArray): Comparison {
  return compare(name, got, golden.array(name), golden.tolerance);
}

export const area: GoldenArea = {
  name: 'vae',
  list: async (dir) => goldenFiles(dir, '.safetensors').map((file) => file.slice(0, -12)),
  async run(dir, name) {
    const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
    const { op } = golden.params;
    return operations[op]?.(golden, dir) ?? { skip: `unknown operation '${op}'` };
  },
};
