/** Paths of things through a video. */
import { boolean, combo, float, inModule, int, mask, nd, optional } from '../engine/node.ts';
import type { Mask, NodeDefinition } from '../engine/node.ts';
import { linspace } from '../engine/array/linspace.ts';

/** How far along its path a thing is at a time 0..1. */
const EASES: Readonly<Record<string, (t: number) => number>> = {
  linear: (t) => t,
  ease_in: (t) => t ** 2,
  ease_out: (t) => 1 - (1 - t) ** 2,
  ease_in_out: (t) => t * t * (3 - 2 * t),
  constant: () => 0,
};
const INTERPOLATIONS = ['linear', 'ease_in', 'ease_out', 'ease_in_out', 'constant'] as const;

const part = (value: number, step = 0.01) => float({ default: value, min: 0, max: 1, step });

export const generateTracks = inModule(
  'comfy_extras.nodes_wanmove',
  'v3',
)({
  name: 'GenerateTracks',
  displayName: 'Generate Video Tracks',
  category: 'model/conditioning/wan/move',
  description: 'Parallel paths from a start to an end, straight or bent.',
  inputs: {
    width: int({ default: 832, min: 16, max: 4096, step: 16 }),
    height: int({ default: 480, min: 16, max: 4096, step: 16 }),
    start_x: part(0),
    start_y: part(0),
    end_x: part(1),
    end_y: part(1),
    num_frames: int({ default: 81, min: 1, max: 1024 }),
    num_tracks: int({ default: 5, min: 1, max: 100 }),
    track_spread: part(0.025, 0.001),
    bezier: boolean({ default: false }),
    mid_x: part(0.5),
    mid_y: part(0.5),
    interpolation: combo(INTERPOLATIONS),
    track_mask: optional(mask({})),
  },
  outputs: [
    { type: 'TRACKS', name: 'TRACKS' },
    { type: 'INT', name: 'track_length' },
  ],
  run: ({ num_frames: frames, num_tracks: tracks, track_mask, ...at }) => {
    const { width, height } = at;
    const spread = (at.track_spread * (width + height)) / 2;
    const axis = (start: number, mid: number, end: number, size: number) =>
      at.bezier ? bent(start * size, mid * size, end * size) : straight(start * size, end * size);
    const x = axis(at.start_x, at.mid_x, at.end_x, width);
    const y = axis(at.start_y, at.mid_y, at.end_y, height);
    const path = new Float32Array(frames * tracks * 2);
    linspace(0, 1, frames).forEach((time, frame) => {
      const t = EASES[at.interpolation](time);
      const [dx, dy] = [x.slope(t), y.slope(t)];
      const length = Math.hypot(dx, dy);
      // Side by side across the way; beside each other where there is none.
      const [acrossX, acrossY] = length > 0 ? [-dy / length, dx / length] : [1, 0];
      for (let track = 0; track < tracks; track++) {
        const offset = (track - (tracks - 1) / 2) * spread;
        const to = (frame * tracks + track) * 2;
        path[to] = x.place(t) + acrossX * offset;
        path[to + 1] = y.place(t) + acrossY * offset;
      }
    });
    const value = {
      track_path: nd(path, [frames, tracks, 2]),
      track_visibility: visibility(track_mask, frames, tracks),
    };
    return [value, frames];
  },
});

interface Axis {
  place(t: number): number;
  slope(t: number): number;
}

const straight = (start: number, end: number): Axis => ({
  place: (t) => start + (end - start) * t,
  slope: () => end - start,
});

/** A quadratic Bézier curve. */
const bent = (start: number, mid: number, end: number): Axis => ({
  place: (t) => (1 - t) ** 2 * start + 2 * (1 - t) * t * mid + t ** 2 * end,
  slope: (t) => 2 * (1 - t) * (mid - start) + 2 * t * (end - mid),
});

/** 1 where a track is seen: everywhere, or by frame ([frames, 1]) where the frame's mask has anything. */
function visibility(mask: Mask | undefined, frames: number, tracks: number) {
  if (!mask) return nd(new Float32Array(frames * tracks).fill(1), [frames, tracks]);
  const [count, h, w] = mask.shape;
  const seen = Float32Array.from({ length: count }, (_, i) =>
    Number(mask.data.subarray(i * h * w, (i + 1) * h * w).some((v) => v > 0)),
  );
  return nd(seen, [count, 1]);
}

export const videoTrackNodes: readonly NodeDefinition[] = [generateTracks];
