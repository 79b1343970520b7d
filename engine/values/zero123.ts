/** Conditions of Zero123 (Liu et al. 2023): a picture as CLIP sees it, and where the camera goes. */
import { concat } from '../array/batch.ts';
import { map } from '../array/elementwise.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { upscaleImage } from '../array/resize.ts';
import { NoodleError } from '../errors.ts';
import { type ClipVision, encodePictures } from './clip-vision.ts';
import type { Conditioning } from './conditioning.ts';
import type { Image } from './media.ts';
import type { NetworkRun } from './network.ts';
import { type Vae, encode } from './vae.ts';

/** Where the camera is relative to the picture's, in degrees. */
export interface View {
  readonly elevation: number;
  readonly azimuth: number;
}

export interface Pictured {
  readonly vision: ClipVision | null;
  readonly vae: Vae | null;
  /** One picture [1, h, w, 3 or 4]. */
  readonly picture: Image;
  /** Size of the views, in pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * The conditions for these views, one row each, and the negative one, which sees nothing. Throws BAD_INPUT
 * for more pictures than one, or without an encoder of pictures.
 */
export async function viewConditions(
  { vision, vae, picture, width, height }: Pictured,
  views: readonly View[],
  run: NetworkRun,
): Promise<{ readonly positive: Conditioning; readonly negative: Conditioning }> {
  const [count] = picture.shape;
  if (count !== 1) {
    const subject = 'init_image';
    throw new NoodleError('BAD_INPUT', { subject, expected: 'one picture', got: count });
  }
  const { embeds } = await encodePictures(vision, picture, 'center', run);
  const seen: NDArray = { data: embeds.data, shape: [1, 1, embeds.data.length] };
  const concatLatent = await encode(
    vae,
    upscaleImage(picture, width, height, 'bilinear', 'center'),
    run,
  );
  const cross = concat(views.map((view) => concat([seen, camera(view)], 2)));
  const blank = map(concatLatent, () => 0);
  return {
    positive: [{ cross, concatLatent }],
    negative: [{ cross: zeros(seen.shape), concatLatent: blank }],
  };
}

const f = Math.fround;
/** As torch, which has the factor in fp32. */
const radians = (degrees: number): number => f(f(degrees) * f(Math.PI / 180));

/** [1, 1, 4]: the change of the polar angle, sine and cosine of the azimuth, the picture's polar angle. */
function camera({ elevation, azimuth }: View): NDArray {
  const turn = radians(azimuth);
  const polar = f(f(90 - f(elevation)) - 90);
  const pose = [radians(polar), Math.sin(turn), Math.cos(turn), radians(90)];
  return { data: Float32Array.from(pose), shape: [1, 1, pose.length] };
}
