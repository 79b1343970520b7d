/** What people paint over a picture in the page. */
import { hexColour, image, inModule, int, optional, rows, socket, string } from '../engine/node.ts';
import type { Context, Image, Mask, NodeDefinition } from '../engine/node.ts';
import { nd, zeros } from '../engine/node.ts';
import { lanczosBytes } from '../engine/array/resample-bytes.ts';
import { fileHash, loadImageFile } from '../engine/media/load-image.ts';
import { previewPictures } from './image-io.ts';

const side = () =>
  int({ hidden: true, default: 512, socketless: true, min: 64, max: 4096, step: 64 });

export const painter = inModule(
  'comfy_extras.nodes_painter',
  'v3',
)({
  name: 'Painter',
  displayName: 'Painter',
  category: 'image',
  description: 'A picture, or a plain colour, with what was painted over it; and a mask of that.',
  hasIntermediateOutput: true,
  inputs: {
    // The page uploads what was painted, and sends its name.
    mask: string({
      extra_dict: { widgetType: 'PAINTER', image_upload: true },
      default: '',
      socketless: true,
      multiline: false,
    }),
    width: side(),
    height: side(),
    bg_color: socket<string>('COLOR', { default: '#000000', socketless: true }),
    image: optional(image({})),
  },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  isChanged: ({ mask }, { services: { folders } }) => {
    const name = typeof mask === 'string' ? mask : '';
    const there = name.trim() !== '' && folders.annotatedExists(name);
    return there ? fileHash(folders.annotatedFile(name)) : '';
  },
  run: async ({ mask: name, width, height, bg_color, image: given }, context) => {
    const base = given ? rows(given, 0, 1) : plain(bg_color, width, height);
    const [, h, w] = base.shape;
    const [result, mask] =
      name.trim() === ''
        ? [base, zeros([1, h, w])]
        : paintOver(base, await loadPainting(name, { width: w, height: h }, context));
    const { ui } = await previewPictures(result, {}, context);
    return { result: [result, mask], ui };
  },
});

/** One colour everywhere; black for what is no colour. */
function plain(colour: string, width: number, height: number): Image {
  const channels = (hexColour(String(colour)) ?? [0, 0, 0]).map((v) => v / 255);
  const data = Float32Array.from({ length: width * height * 3 }, (_, i) => channels[i % 3]);
  return nd(data, [1, height, width, 3]);
}

/** The painted file as RGBA bytes in the picture's size. */
async function loadPainting(
  name: string,
  { width, height }: { width: number; height: number },
  { services }: Context,
): Promise<ArrayLike<number>> {
  const path = services.folders.annotatedFile(name);
  const { frames } = await loadImageFile(path, { firstOnly: true });
  const { rgb, alpha, keyedAlpha, ...size } = frames[0];
  const opacity = alpha ?? keyedAlpha;
  const rgba = new Uint8Array(size.width * size.height * 4);
  for (let i = 0; i < size.width * size.height; i++) {
    rgba.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
    rgba[i * 4 + 3] = opacity ? opacity[i] : 255;
  }
  const painting = { data: rgba, width: size.width, height: size.height, channels: 4 };
  return lanczosBytes(painting, width, height).data;
}

function paintOver(base: Image, rgba: ArrayLike<number>): [Image, Mask] {
  const [, h, w, channels] = base.shape;
  const out = new Float32Array(h * w * 3);
  const mask = zeros([1, h, w]);
  for (let i = 0; i < h * w; i++) {
    const alpha = Math.fround(rgba[i * 4 + 3] / 255);
    mask.data[i] = alpha;
    for (let c = 0; c < 3; c++) {
      const at = i * 3 + c;
      out[at] =
        Math.fround(rgba[i * 4 + c] / 255) * alpha +
        base.data[i * channels + (channels < 3 ? 0 : c)] * (1 - alpha);
    }
  }
  return [nd(out, [1, h, w, 3]), mask];
}

export const painterNodes: readonly NodeDefinition[] = [painter];
