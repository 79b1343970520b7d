/**
 * What a data set is asked for: the keys of ai-toolkit's `datasets[]`, in camel case, with its defaults
 * (spec: training, section 7).
 */

/** How a caption is made of what lies beside a picture. */
export interface CaptionSettings {
  readonly triggerWord?: string | undefined;
  /** Share of captions that are left empty, the trigger included. */
  readonly captionDropoutRate: number;
  /** Share of the parts between commas that are left out; 1: all but those kept. */
  readonly tokenDropoutRate: number;
  /** So many parts from the start are never left out. */
  readonly keepTokens: number;
  readonly shuffleTokens: boolean;
  /** Words put behind captions: one always, or any number up to a maximum above 1. */
  readonly randomTriggers: readonly string[];
  readonly randomTriggersMax: number;
  /** A regularisation set: its captions get no trigger that they do not ask for. */
  readonly isReg: boolean;
}

/** How pictures are brought to the size that they are trained in. */
export interface SizeSettings {
  /** A side in pixels: pictures have at most its square. */
  readonly resolution: number;
  /** What the picture's own size is multiplied by first. */
  readonly scale: number;
  /** False: squares from the middle. */
  readonly buckets: boolean;
  readonly squareCrop: boolean;
  readonly randomCrop: boolean;
  /** Without buckets: squares of any size, from anywhere. */
  readonly randomScale: boolean;
}

/** Where losses count: which pixels, and how little the others do. */
export interface MaskSettings {
  /** The pictures' own alpha is the mask. */
  readonly alphaMask: boolean;
  /** A folder with pictures of the same stems. */
  readonly maskPath?: string | undefined;
  readonly invertMask: boolean;
  /** What black means, 0 .. 1. */
  readonly maskMinValue: number;
}

/** A whole data set. Paths are absolute; whoever reads them from outside has resolved them. */
export interface DatasetSettings
  extends Omit<CaptionSettings, 'randomTriggers'>, SizeSettings, MaskSettings {
  /** Words, or a text file with one a line. */
  readonly randomTriggers: readonly string[] | { readonly file: string };
  /** A folder, or a JSON file {name: {caption, caption_short}} whose names lie beside or below it. */
  readonly folderPath: string;
  readonly batchSize?: number | undefined;
  readonly captionExt: string;
  readonly defaultCaption?: string | undefined;
  readonly useShortCaptions: boolean;
  readonly numRepeats: number;
  /** Mirrored copies beside the pictures; both: four of each. */
  readonly flipX: boolean;
  readonly flipY: boolean;
  readonly cacheLatents: boolean;
  readonly cacheLatentsToDisk: boolean;
}

/** The same with the words read, if a file has them. */
export type WithWords<S extends DatasetSettings = DatasetSettings> = Omit<S, 'randomTriggers'> &
  Pick<CaptionSettings, 'randomTriggers'>;

export const datasetDefaults = {
  captionDropoutRate: 0,
  tokenDropoutRate: 0,
  keepTokens: 0,
  shuffleTokens: false,
  randomTriggers: [],
  randomTriggersMax: 1,
  isReg: false,
  resolution: 512,
  scale: 1,
  buckets: true,
  squareCrop: false,
  randomCrop: false,
  randomScale: false,
  alphaMask: false,
  invertMask: false,
  maskMinValue: 0,
  captionExt: '.txt',
  useShortCaptions: false,
  numRepeats: 1,
  flipX: false,
  flipY: false,
  cacheLatents: false,
  cacheLatentsToDisk: false,
} as const satisfies Omit<DatasetSettings, 'folderPath'>;
