/** One picture of a data set. */
import type { Size } from './buckets.ts';
import type { Placement } from './placement.ts';

/** A picture on the disk. */
export interface PictureFile {
  /** Below the data set's folder, with `/`. */
  readonly name: string;
  readonly path: string;
  /** Its caption as it was written. */
  readonly text: string;
}

/** What is trained on: a mirrored or repeated picture is an item of its own. */
export interface Item extends PictureFile {
  /** Upright, in pixels. */
  readonly size: Size;
  readonly placement: Placement;
  readonly flipX: boolean;
  readonly flipY: boolean;
  /** The picture that is its mask, where there is one of its own. */
  readonly mask?: string | undefined;
}

/** An item as it is used once: where a set says so it is placed anew each time. */
export interface Placed {
  readonly item: Item;
  readonly placement: Placement;
}
