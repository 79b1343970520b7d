/** A thing to be placed: its size is given, its place is found. */
export interface Box {
  x: number;
  y: number;
  readonly w: number;
  readonly h: number;
}

const gapX = 70;
const gapY = 40;
const sweeps = 8;

type Neighbours = ReadonlyMap<object, readonly object[]>;

/**
 * Places boxes in layers from left to right, as Sugiyama, Tagawa and Toda do (1981): every link
 * goes to the right, a source stands just before what it feeds, each layer is ordered by the mean
 * height of its neighbours so that few links cross, and nothing overlaps. Circles are cut.
 */
export function placeInLayers(
  boxes: ReadonlyMap<object, Box>,
  links: readonly (readonly [from: object, to: object])[],
): void {
  const before = neighbours(boxes, links, 1);
  const after = neighbours(boxes, links, 0);
  const layers = layersOf(boxes, before, after);
  let x = 0;
  for (const layer of layers) {
    let y = 0;
    for (const key of layer) {
      const box = boxes.get(key) as Box;
      box.x = x;
      box.y = y;
      y += box.h + gapY;
    }
    x += Math.max(0, ...layer.map((key) => (boxes.get(key) as Box).w)) + gapX;
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const forward = sweep % 2 === 0;
    const order = forward ? layers : [...layers].reverse();
    for (const layer of order) settle(layer, boxes, forward ? before : after);
  }
  const top = Math.min(...[...boxes.values()].map(({ y }) => y));
  for (const box of boxes.values()) box.y -= top;
}

/** For each box those at the other end of its links; `end` is the end it stands at. */
function neighbours(
  boxes: ReadonlyMap<object, Box>,
  links: readonly (readonly [object, object])[],
  end: 0 | 1,
): Neighbours {
  const found = new Map<object, object[]>([...boxes.keys()].map((key) => [key, []]));
  for (const link of links) found.get(link[end])?.push(link[1 - end]);
  return found;
}

function layersOf(
  boxes: ReadonlyMap<object, Box>,
  before: Neighbours,
  after: Neighbours,
): object[][] {
  const depth = depths([...boxes.keys()], before);
  // Sources move up to what they feed: a loader of the last step need not stand at the far left.
  for (const key of boxes.keys()) {
    const fed = (after.get(key) ?? []).map((other) => depth.get(other) ?? 0);
    if ((before.get(key) ?? []).length === 0 && fed.length > 0) {
      depth.set(key, Math.max(0, Math.min(...fed) - 1));
    }
  }
  const layers: object[][] = [];
  for (const key of boxes.keys()) (layers[depth.get(key) ?? 0] ??= []).push(key);
  return Array.from(layers, (layer) => layer ?? []).filter((layer) => layer.length > 0);
}

/** The longest way to each box from one that nothing feeds. Iterative: chains may be long. */
function depths(keys: readonly object[], before: Neighbours): Map<object, number> {
  const depth = new Map<object, number>();
  const open = new Set<object>();
  for (const start of keys) {
    const stack = [start];
    while (stack.length > 0) {
      const key = stack[stack.length - 1];
      const sources = before.get(key) ?? [];
      const waiting = depth.has(key) ? [] : sources.filter((s) => !depth.has(s) && !open.has(s));
      open.add(key);
      if (waiting.length > 0) {
        stack.push(...waiting);
        continue;
      }
      stack.pop();
      if (!depth.has(key))
        depth.set(key, 1 + Math.max(-1, ...sources.map((s) => depth.get(s) ?? -1)));
    }
  }
  return depth;
}

/** Orders a layer by the middles of its neighbours and moves it as near to them as it goes. */
function settle(layer: object[], boxes: ReadonlyMap<object, Box>, towards: Neighbours): void {
  const middle = (key: object): number => {
    const box = boxes.get(key) as Box;
    return box.y + box.h / 2;
  };
  const wanted = new Map<object, number>();
  for (const key of layer) {
    const others = towards.get(key) ?? [];
    const sum = others.reduce((total: number, other) => total + middle(other), 0);
    wanted.set(key, others.length === 0 ? middle(key) : sum / others.length);
  }
  layer.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
  // Runs of boxes that would overlap are one block, placed where its boxes want to be on average.
  const blocks: { keys: object[]; height: number; offset: number }[] = [];
  const top = (block: (typeof blocks)[number]): number => block.offset / block.keys.length;
  for (const key of layer) {
    const { h } = boxes.get(key) as Box;
    let block = { keys: [key], height: h, offset: (wanted.get(key) ?? 0) - h / 2 };
    for (;;) {
      const above = blocks.at(-1);
      if (above === undefined || top(above) + above.height + gapY <= top(block)) break;
      blocks.pop();
      const down = above.height + gapY;
      block = {
        keys: [...above.keys, ...block.keys],
        height: down + block.height,
        offset: above.offset + block.offset - down * block.keys.length,
      };
    }
    blocks.push(block);
  }
  for (const block of blocks) {
    let y = top(block);
    for (const key of block.keys) {
      const box = boxes.get(key) as Box;
      box.y = y;
      y += box.h + gapY;
    }
  }
}
