import type { Server } from '../api/server.ts';
import type { FileRef } from '../api/types.ts';
import { createLayer, type Layer } from './layer.ts';
import { refusal } from '../api/refused.ts';
import { t } from '../locale/translate.ts';

/** A picture as the editor needs it: its colours, and what was painted on it before. */
export interface OpenedPicture {
  /** The picture without paint and mask: what the mask is saved with. */
  readonly file: FileRef;
  readonly colours: ImageBitmap;
  readonly mask: Layer | undefined;
  readonly paint: Layer | undefined;
}

/**
 * Names of what ComfyUI's mask editor writes into the input folder, by the time of saving: the
 * picture with the mask as its alpha, the paint alone, the picture with the paint, and with both.
 */
const folder = 'clipspace';
const names = {
  mask: (time: number) => `clipspace-mask-${time}.png`,
  paint: (time: number) => `clipspace-paint-${time}.png`,
  painted: (time: number) => `clipspace-painted-${time}.png`,
  both: (time: number) => `clipspace-painted-masked-${time}.png`,
};

const inClipspace = (filename: string): FileRef => ({ filename, subfolder: folder, type: 'input' });

/** A picture's address on this server as a reference to its file; null when it is none. */
export function fileOfUrl(address: string): FileRef | null {
  const query = new URL(address).searchParams;
  const filename = query.get('filename');
  if (filename === null) return null;
  return {
    filename,
    subfolder: query.get('subfolder') ?? '',
    type: query.get('type') ?? 'output',
  };
}

/** Loads a picture with the mask in its alpha, and its paint where this editor saved some. */
export async function openPicture(server: Server, file: FileRef): Promise<OpenedPicture> {
  const time = Number(/^clipspace-painted-masked-(\d+)\.png$/.exec(file.filename)?.[1]);
  const layered = file.subfolder === folder && Number.isFinite(time);
  const base = layered ? inClipspace(names.mask(time)) : file;
  const [{ colours, alpha }, paint] = await Promise.all([
    channelsOf(server.viewUrl(base)),
    layered
      ? fetchBlob(server.viewUrl(inClipspace(names.paint(time)))).then(createImageBitmap)
      : null,
  ]);
  return {
    file: base,
    colours,
    mask: alpha === null ? undefined : maskOf(alpha),
    paint: paint === null ? undefined : pixelsOf(paint),
  };
}

interface Channels {
  readonly colours: ImageBitmap;
  /** Null where the picture has none. */
  readonly alpha: ImageBitmap | null;
}

/**
 * A picture's colours and its alpha, upright as the server reads them too. Browsers forget the colours of what is see-through,
 * so the server sends the two apart where there is an alpha.
 */
async function channelsOf(address: string): Promise<Channels> {
  const whole = await fetchBlob(address);
  if (isOpaque(new Uint8Array(await whole.arrayBuffer()))) {
    return { colours: await createImageBitmap(whole), alpha: null };
  }
  const [colours, alpha] = await Promise.all(
    ['rgb', 'a'].map(async (name) =>
      createImageBitmap(await fetchBlob(`${address}&channel=${name}`)),
    ),
  );
  return { colours, alpha };
}

/** Whether it is a JPEG, or a PNG that has no alpha: neither a channel nor a see-through colour. */
export function isOpaque(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33) return false;
  if (view.getUint16(0) === 0xffd8) return true;
  if (view.getUint32(0) !== 0x89504e47 || (bytes[25] & 4) !== 0) return false;
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === 'tRNS') return false;
    if (name === 'IDAT') return true;
  }
  return false;
}

/** A file of the server; throws when it is gone. */
export async function fetchBlob(address: string): Promise<Blob> {
  const response = await fetch(address);
  if (!response.ok) throw refusal(response.status);
  return response.blob();
}

/** The pixels of a picture, RGBA. */
export function pixelsOf(bitmap: ImageBitmap): Layer {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error(t('The browser has no memory for this picture'));
  context.drawImage(bitmap, 0, 0);
  return { width, height, channels: 4, data: context.getImageData(0, 0, width, height).data };
}

/** What is see-through is masked, as LoadImage reads it. */
function maskOf(bitmap: ImageBitmap): Layer {
  const { width, height, data } = pixelsOf(bitmap);
  const layer = createLayer(width, height, 1);
  for (let i = 0; i < layer.data.length; i++) layer.data[i] = 255 - data[4 * i + 3];
  return layer;
}

interface Painted {
  readonly file: FileRef;
  readonly colours: ImageBitmap;
  readonly mask: Layer;
  readonly paint: Layer | undefined;
}

/**
 * Saves what was painted as ComfyUI does, so that LoadImage's MASK is the mask; returns the value
 * for the node's field. With paint there are four files, and the paint can be changed later.
 */
export async function savePainting(
  server: Server,
  { file, colours, mask, paint }: Painted,
): Promise<string> {
  const time = Date.now();
  const alpha = await maskBlob(mask);
  const value = (name: string): string => `${folder}/${name} [input]`;
  const masked = server.uploadMask(alpha, inClipspace(names.mask(time)), file);
  if (paint === undefined || !paint.data.some((byte) => byte !== 0)) {
    await masked;
    return value(names.mask(time));
  }
  // Encoding a large picture takes the server and the browser seconds: what can be done beside it is.
  const over = new ImageData(paint.data, paint.width, paint.height);
  const painted = inClipspace(names.painted(time));
  const savePaint = async (): Promise<void> =>
    server.uploadInto(await blobOf(over), inClipspace(names.paint(time)));
  const savePainted = async (): Promise<void> => {
    await server.uploadInto(await blobOf(over, colours), painted);
    await server.uploadMask(alpha, inClipspace(names.both(time)), painted);
  };
  await Promise.all([masked, savePaint(), savePainted()]);
  return value(names.both(time));
}

/** A PNG whose alpha is what the mask leaves. */
function maskBlob({ width, height, data }: Layer): Promise<Blob> {
  const image = new ImageData(width, height);
  for (let i = 0; i < data.length; i++) image.data[4 * i + 3] = 255 - data[i];
  return blobOf(image);
}

/** Pixels as a PNG, over a picture where there is one. */
export async function blobOf(image: ImageData, under?: ImageBitmap): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error(t('The browser has no memory for this picture'));
  if (under === undefined) context.putImageData(image, 0, 0);
  else {
    context.drawImage(under, 0, 0);
    context.drawImage(await createImageBitmap(image), 0, 0);
  }
  return canvas.convertToBlob({ type: 'image/png' });
}
