/** Masks in colours for SCAIL-2, which animates people after others in a film. */
import { full } from '../engine/array/nd.ts';
import type { NDArray } from '../engine/array/nd.ts';
import { boolean, combo, inModule, optional, socket, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { drawMask, drawTracks, trackOrder } from '../engine/values/track-masks.ts';
import type { TrackMasks } from '../engine/values/track-masks.ts';

const isMask = (x: TrackMasks | NDArray): x is NDArray => 'data' in x;

/** Numbers of a list like `0, 2,3`; what is no number is left out. */
const numbers = (text: string): number[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => /^\d+$/.test(part))
    .map(Number);

export const scail2ColoredMask = inModule(
  'comfy_extras.nodes_scail',
  'v3',
)({
  name: 'SCAIL2ColoredMask',
  displayName: 'Create SCAIL-2 Colored Mask',
  category: 'model/conditioning/wan/scail',
  description: 'Draws each person of a film, and of a picture, in a colour of their own.',
  experimental: true,
  inputs: {
    driving_track_data: socket<TrackMasks>('SAM3_TRACK_DATA', {}, ['bits']),
    ref_track_data: optional(
      socket<TrackMasks | NDArray>('SAM3_TRACK_DATA,MASK', { display_name: 'reference_masks' }, []),
    ),
    object_indices: string({ default: '', multiline: false }),
    sort_by: combo(['none', 'left_to_right', 'area'] as const, {
      default: 'left_to_right',
      multiselect: false,
    }),
    replacement_mode: boolean({ default: false }),
  },
  outputs: [
    { type: 'IMAGE', name: 'pose_video_mask' },
    { type: 'IMAGE', name: 'reference_image_mask' },
  ],
  run: ({ driving_track_data, ref_track_data, object_indices, sort_by, replacement_mode }) => {
    const draw = (tracks: TrackMasks, ground: number): NDArray => {
      const order = trackOrder(tracks, sort_by);
      if (object_indices.trim() === '') return drawTracks(tracks, order, ground);
      const chosen = numbers(object_indices).filter((i) => i < order.length);
      return drawTracks(
        tracks,
        chosen.map((i) => order[i]),
        ground,
      );
    };
    const film = draw(driving_track_data, replacement_mode ? 1 : 0);
    const ground = replacement_mode ? 0 : 1;
    const { filmHeight, filmWidth } = driving_track_data;
    if (ref_track_data === undefined) return [film, full([1, filmHeight, filmWidth, 3], ground)];
    const isPlain = isMask(ref_track_data);
    return [film, isPlain ? drawMask(ref_track_data, ground) : draw(ref_track_data, ground)];
  },
});

export const scailNodes: readonly NodeDefinition[] = [scail2ColoredMask];
