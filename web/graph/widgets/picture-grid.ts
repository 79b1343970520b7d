/** A place in a node, in the node's own coordinates. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Width and height of anything. */
interface Extent {
  readonly width: number;
  readonly height: number;
}

const gap = 4;

/** Columns and rows that show `count` pictures of one aspect (width / height) as large as possible. */
export function gridFor(
  count: number,
  width: number,
  height: number,
  aspect: number,
): { columns: number; rows: number } {
  let best = { columns: 1, rows: count };
  let bestWidth = 0;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const shown = Math.min(width / columns, (height / rows) * aspect);
    if (shown > bestWidth) {
      bestWidth = shown;
      best = { columns, rows };
    }
  }
  return best;
}

/** Where each of some pictures lies, whole, in the grid that shows them largest. */
export function placesInGrid(pictures: readonly Extent[], area: Area): readonly Area[] {
  const aspects = pictures.map(({ width, height }) => width / height);
  // Pictures of several shapes get squares.
  const aspect = aspects.every((each) => Math.abs(each - aspects[0]) < 0.01) ? aspects[0] : 1;
  const { columns, rows } = gridFor(pictures.length, area.w, area.h, aspect);
  const [w, h] = [area.w / columns, area.h / rows];
  return pictures.map((picture, i) =>
    placeInside(picture, {
      x: area.x + (i % columns) * w + gap / 2,
      y: area.y + Math.floor(i / columns) * h + gap / 2,
      w: w - gap,
      h: h - gap,
    }),
  );
}

/** Where a picture lies that fills a place as far as its shape lets it. */
export function placeInside({ width, height }: Extent, { x, y, w, h }: Area): Area {
  const scale = Math.max(0, Math.min(w / width, h / height));
  const [shownWidth, shownHeight] = [width * scale, height * scale];
  return {
    x: x + (w - shownWidth) / 2,
    y: y + (h - shownHeight) / 2,
    w: shownWidth,
    h: shownHeight,
  };
}

export const isInside = ({ x, y, w, h }: Area, px: number, py: number): boolean =>
  px >= x && px <= x + w && py >= y && py <= y + h;
