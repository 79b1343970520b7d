import type { LGraphCanvas } from '@comfyorg/litegraph';
import { isRecord } from './input-spec.ts';

/** What part of which graph is in sight. */
export interface View {
  readonly scale: number;
  readonly offset: readonly [number, number];
  /** Id of the subgraph that is open; null: the workflow itself. */
  readonly inside: string | null;
}

/** The view a canvas has now. */
export const viewOf = ({ ds, subgraph }: LGraphCanvas): View => ({
  scale: ds.scale,
  offset: [ds.offset[0], ds.offset[1]],
  inside: subgraph?.id ?? null,
});

/** Reads a view from foreign JSON; null when it is none. */
export function readView(data: unknown): View | null {
  if (!isRecord(data)) return null;
  const { scale, offset, inside } = data;
  // Old files have `{"0": x, "1": y}`.
  const [x, y] =
    typeof offset === 'object' && offset !== null ? (Object.values(offset) as unknown[]) : [];
  const numbers = [scale, x, y];
  if (!numbers.every((n) => typeof n === 'number' && Number.isFinite(n))) return null;
  if ((scale as number) <= 0) return null;
  return {
    scale: scale as number,
    offset: [x as number, y as number],
    inside: typeof inside === 'string' ? inside : null,
  };
}

/** The view stored in a workflow file (`extra.ds`), if there is one. */
export function viewInFile(file: unknown): View | null {
  const extra = isRecord(file) && isRecord(file.extra) ? file.extra : {};
  return readView(extra.ds);
}

/** Whether any node of the canvas's graph can be seen. */
export function someNodeVisible({ ds, graph, canvas }: LGraphCanvas): boolean {
  return (graph?.nodes ?? []).some((node) => {
    const x = (node.pos[0] + ds.offset[0]) * ds.scale;
    const y = (node.pos[1] + ds.offset[1]) * ds.scale;
    return x > -50 && y > -20 && x < canvas.clientWidth - 80 && y < canvas.clientHeight - 60;
  });
}
