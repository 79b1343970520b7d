/** A part of a network that is trained, and how it is called. */

/** Rows [start, end) of a matrix. */
export type Rows = readonly [start: number, end: number];

/** A module that lies with others in one matrix of our files, under diffusers' name. */
export interface ModulePart {
  readonly path: string;
  readonly rows: Rows;
}

export interface TrainedModule {
  /** Key of the weight in its network's source. */
  readonly key: string;
  /** The weight's shape; of a module of some rows theirs. */
  readonly shape: readonly number[];
  /** Left out: the whole weight. */
  readonly rows?: Rows;
  /** How its weight is trained: through an adapter, or by a difference of its own size. */
  readonly as: 'adapter' | 'offset';
  /** Key of the bias, where a difference of it is trained. */
  readonly bias?: string;
  /** Its dotted name as trainers have it: diffusers', or where that has none our own. */
  readonly path: string;
  /** What it is to diffusers, where that has several modules in its place. */
  readonly parts?: readonly ModulePart[];
  /** The text encoder it is in; left out for modules of the diffusion model. */
  readonly encoder?: TrainedEncoder;
}

/** A text encoder by its name here (`clip_l`), and whether its model has no other in front of it or behind. */
export interface TrainedEncoder {
  readonly name: string;
  readonly alone: boolean;
}

/** Our own dotted name of a module. */
export const ownPath = ({ key }: Pick<TrainedModule, 'key'>): string =>
  key.replace(/\.weight$/, '');
