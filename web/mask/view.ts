import { rgbOf, type Brush } from './brush.ts';
import { copyOut } from './edit.ts';
import { isEmpty, overlap, type Area, type Layer } from './layer.ts';
import type { LayerName, Painting } from './painting.ts';

/** Where the picture lies on the screen: CSS pixels a pixel, and the place of its corner. */
export interface Camera {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** Layers are shown in canvases of this many pixels a side: a stroke touches few of them. */
const side = 512;
const paleGround = '#0f1013';

/** The picture with its layers on a canvas; draws what has changed in the next frame. */
export type View = ReturnType<typeof createView>;

export function createView(
  canvas: HTMLCanvasElement,
  painting: Painting,
  brush: Brush,
  colours: ImageBitmap,
) {
  const context = canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
  const sheets = { mask: createSheets(), paint: createSheets() };
  let camera: Camera = { scale: 1, x: 0, y: 0 };
  let smaller: readonly ImageBitmap[] = [];
  let dirty: Area | 'all' | null = null;
  let frame = 0;
  /** A shape that is being drawn out, in pixels of the picture. */
  let outline: readonly (readonly [number, number])[] = [];

  const ratio = (): number => window.devicePixelRatio;
  /** An area of the picture in whole pixels of the canvas. */
  const onScreen = ({ x0, y0, x1, y1 }: Area): Area => {
    const at = (value: number, shift: number): number =>
      Math.round((value * camera.scale + shift) * ratio());
    return {
      x0: at(x0, camera.x),
      y0: at(y0, camera.y),
      x1: at(x1, camera.x),
      y1: at(y1, camera.y),
    };
  };
  const request = (area: Area | 'all'): void => {
    if (dirty !== 'all') dirty = area === 'all' || dirty === null ? area : around(dirty, area);
    if (frame === 0) frame = requestAnimationFrame(draw);
  };

  const draw = (): void => {
    frame = 0;
    const box = { x0: 0, y0: 0, x1: canvas.width, y1: canvas.height };
    const part = dirty === 'all' || dirty === null ? box : overlap(grown(onScreen(dirty)), box);
    dirty = null;
    if (isEmpty(part)) return;
    context.save();
    context.beginPath();
    context.rect(part.x0, part.y0, part.x1 - part.x0, part.y1 - part.y0);
    context.clip();
    context.fillStyle = paleGround;
    context.fillRect(part.x0, part.y0, part.x1 - part.x0, part.y1 - part.y0);
    const device = camera.scale * ratio();
    context.imageSmoothingEnabled = device < 3;
    const whole = onScreen(painting.whole);
    const base = smaller.find((each) => each.width >= painting.width * device) ?? colours;
    context.drawImage(base, whole.x0, whole.y0, whole.x1 - whole.x0, whole.y1 - whole.y0);
    drawSheets('paint', part);
    context.globalAlpha = brush.tintOpacity.value;
    drawSheets('mask', part);
    context.globalAlpha = 1;
    drawOutline();
    context.restore();
  };

  const drawSheets = (name: LayerName, part: Area): void => {
    const layer = painting.layer(name);
    if (layer === undefined) return;
    for (const { area, image } of sheets[name].shown(layer, colouring(name))) {
      const to = onScreen(area);
      if (isEmpty(overlap(to, part))) continue;
      context.drawImage(
        image(),
        ...([0, 0, area.x1 - area.x0, area.y1 - area.y0] as const),
        ...([to.x0, to.y0, to.x1 - to.x0, to.y1 - to.y0] as const),
      );
    }
  };
  const colouring = (name: LayerName): Colouring =>
    name === 'mask' ? tinted(rgbOf(brush.tint.value)) : asTheyAre;

  const drawOutline = (): void => {
    if (outline.length === 0) return;
    context.beginPath();
    for (const [x, y] of outline) {
      context.lineTo(
        (x * camera.scale + camera.x) * ratio(),
        (y * camera.scale + camera.y) * ratio(),
      );
    }
    context.closePath();
    for (const [colour, dash] of [
      ['#000', 0],
      ['#fff', 5],
    ] as const) {
      context.strokeStyle = colour;
      context.setLineDash([dash * ratio(), dash * ratio()]);
      context.lineWidth = ratio();
      context.stroke();
    }
  };

  const unwatch = painting.watch((name, area) => {
    sheets[name].stale(area);
    request(area);
  });
  void halved(colours).then((levels) => {
    smaller = levels;
    request('all');
  });

  return {
    get camera() {
      return camera;
    },
    set camera(value: Camera) {
      camera = value;
      request('all');
    },
    /** Shows a shape that is not painted yet; none: an empty list. */
    outline(points: readonly (readonly [number, number])[]): void {
      outline = points;
      request('all');
    },
    /** The mask is shown in another colour. */
    recolour(): void {
      sheets.mask.stale(painting.whole);
      request('all');
    },
    redraw: () => request('all'),
    /** A place of the canvas (CSS pixels) in pixels of the picture. */
    toPicture: (x: number, y: number): [number, number] => [
      (x - camera.x) / camera.scale,
      (y - camera.y) / camera.scale,
    ],
    /** The camera that shows the whole picture in the middle. */
    fitting(): Camera {
      const { clientWidth, clientHeight } = canvas;
      const margin = 24;
      const scale = Math.min(
        (clientWidth - 2 * margin) / painting.width,
        (clientHeight - 2 * margin) / painting.height,
        8,
      );
      return {
        scale,
        x: (clientWidth - painting.width * scale) / 2,
        y: (clientHeight - painting.height * scale) / 2,
      };
    },
    dispose(): void {
      cancelAnimationFrame(frame);
      unwatch();
      for (const each of smaller) each.close();
      smaller = [];
    },
  };
}

/** Writes the pixels of a layer as they are to be seen, RGBA. */
type Colouring = (pixels: Uint8ClampedArray<ArrayBuffer>) => Uint8ClampedArray<ArrayBuffer>;

const asTheyAre: Colouring = (pixels) => pixels;

const tinted =
  ([r, g, b]: readonly [number, number, number]): Colouring =>
  (pixels) => {
    const out = new Uint8ClampedArray(4 * pixels.length);
    for (let i = 0; i < pixels.length; i++) {
      out[4 * i] = r;
      out[4 * i + 1] = g;
      out[4 * i + 2] = b;
      out[4 * i + 3] = pixels[i];
    }
    return out;
  };

interface Sheet {
  readonly area: Area;
  canvas: HTMLCanvasElement | null;
  stale: Area | null;
}

/** A layer as canvases, made and brought up to date when they are seen. */
function createSheets() {
  let sheets: Sheet[] | null = null;
  return {
    stale(area: Area): void {
      for (const sheet of sheets ?? []) {
        const part = overlap(sheet.area, area);
        if (isEmpty(part)) continue;
        sheet.stale = sheet.stale === null ? part : around(sheet.stale, part);
      }
    },
    shown(layer: Layer, colour: Colouring) {
      sheets ??= sheetsOf(layer);
      return sheets.map((sheet) => ({
        area: sheet.area,
        image: () => upToDate(sheet, layer, colour),
      }));
    },
  };
}

function sheetsOf({ width, height }: Layer): Sheet[] {
  const sheets: Sheet[] = [];
  for (let y0 = 0; y0 < height; y0 += side) {
    for (let x0 = 0; x0 < width; x0 += side) {
      const area = { x0, y0, x1: Math.min(width, x0 + side), y1: Math.min(height, y0 + side) };
      sheets.push({ area, canvas: null, stale: area });
    }
  }
  return sheets;
}

function upToDate(sheet: Sheet, layer: Layer, colour: Colouring): HTMLCanvasElement {
  const { area, stale } = sheet;
  if (sheet.canvas === null) {
    sheet.canvas = document.createElement('canvas');
    sheet.canvas.width = area.x1 - area.x0;
    sheet.canvas.height = area.y1 - area.y0;
  }
  if (stale !== null) {
    const pixels = colour(copyOut(layer, stale));
    const image = new ImageData(pixels, stale.x1 - stale.x0, stale.y1 - stale.y0);
    sheet.canvas.getContext('2d')?.putImageData(image, stale.x0 - area.x0, stale.y0 - area.y0);
    sheet.stale = null;
  }
  return sheet.canvas;
}

/** The picture in halves, quarters and so on, smallest first: drawn small it costs little. */
async function halved(colours: ImageBitmap): Promise<ImageBitmap[]> {
  const levels: ImageBitmap[] = [];
  let last = colours;
  while (Math.max(last.width, last.height) > 1024) {
    last = await createImageBitmap(last, {
      resizeWidth: Math.max(1, last.width >> 1),
      resizeHeight: Math.max(1, last.height >> 1),
      resizeQuality: 'medium',
    });
    levels.unshift(last);
  }
  return levels;
}

const around = (a: Area, b: Area): Area => ({
  x0: Math.min(a.x0, b.x0),
  y0: Math.min(a.y0, b.y0),
  x1: Math.max(a.x1, b.x1),
  y1: Math.max(a.y1, b.y1),
});

/** Smoothing reaches over the edge. */
const grown = ({ x0, y0, x1, y1 }: Area): Area => ({
  x0: x0 - 2,
  y0: y0 - 2,
  x1: x1 + 2,
  y1: y1 + 2,
});
