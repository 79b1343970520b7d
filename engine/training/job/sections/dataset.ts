/** `datasets[]`: the pictures and their captions. */
import {
  choice,
  flag,
  listOf,
  never,
  path,
  real,
  share,
  text,
  textOrNone,
  whole,
} from '../readers.ts';
import {
  type Reader,
  type Rows,
  type Values,
  each,
  ignored,
  key,
  optional,
  refused,
} from '../row.ts';

const LOADING = 'pictures are loaded as they are needed';
const CONTROL = 'pictures that others are made from are not trained';
const FILMS = 'films and sounds are not trained';
const AS_THEY_ARE = 'pictures are taken as they are';

/** A list of trigger words, or the name of a text file with one a line. */
const wordsOrFile: Reader<readonly string[] | { readonly file: string }> = (given, at, found) => {
  if (Array.isArray(given)) return listOf(text)(given, at, found);
  const file = path('words')(given, at, found);
  return file === undefined ? [] : { file };
};

/** The ending of captions, with its dot. */
const ending: Reader<string> = (given, at, found) => {
  const read = text(given, at, found);
  return read.startsWith('.') ? read : `.${read}`;
};

export const datasetRows = {
  folder_path: optional(path('dataset')),
  dataset_path: optional(path('dataset')),
  type: key(choice(['image'], never('only pictures are trained', '*')), 'image'),
  batch_size: optional(whole(1)),
  resolution: key(listOf(whole(16, 16384)), [512]),
  caption_ext: optional(ending),
  caption_type: optional(ending),
  default_caption: optional(textOrNone),
  trigger_word: optional(textOrNone),
  caption_dropout_rate: key(share, 0),
  token_dropout_rate: key(share, 0),
  keep_tokens: key(whole(), 0),
  shuffle_tokens: key(flag, false),
  random_triggers: key(wordsOrFile, []),
  random_triggers_max: key(whole(1), 1),
  replacements: ignored('upstream applies them no more', []),
  use_short_captions: key(flag, false),
  num_repeats: key(whole(1), 1),
  is_reg: key(flag, false),
  prior_reg: key(flag, false),
  network_weight: key(real(), 1),
  loss_multiplier: key(real(0), 1),
  buckets: key(flag, true),
  bucket_tolerance: ignored("the model's own step counts", 64),
  square_crop: key(flag, false),
  scale: key(real(0.001, 1000), 1),
  random_crop: key(flag, false),
  random_scale: key(flag, false),
  flip_x: key(flag, false),
  flip_y: key(flag, false),
  ...each(refused(AS_THEY_ARE), [
    'augments',
    'augmentations',
    'shuffle_augmentations',
    'replay_transforms',
    'standardize_images',
    'extra_values',
  ]),
  guidance_type: refused('training with guidance is not supported', 'targeted'),
  alpha_mask: key(flag, false),
  mask_path: optional(path('mask')),
  invert_mask: key(flag, false),
  mask_min_value: key(share, 0),
  cache_latents: key(flag, false),
  cache_latents_to_disk: key(flag, false),
  cache_text_embeddings: key(flag, false),
  num_workers: ignored(LOADING, 2),
  prefetch_factor: ignored(LOADING, 2),
  ...each(ignored(LOADING), [
    'cache_latents_num_workers',
    'fast_image_size',
    'debug',
    'load_image_when_caching_latents',
    'cache_clip_vision_to_disk',
    'cache_tensors_to_disk',
  ]),
  ...each(refused(CONTROL), [
    'control_path',
    'control_path_1',
    'control_path_2',
    'control_path_3',
    'control_from_same_folder',
    'full_size_control_images',
    'inpaint_path',
    'unconditional_path',
    'controls',
    'clip_image_*',
  ]),
  num_controls_from_same_folder: refused(CONTROL, 0),
  control_transparent_color: refused(CONTROL, [0, 0, 0]),
  num_frames: refused(FILMS, 1),
  auto_frame_count: refused(FILMS),
  trim_auto_frame_count_tail: refused(FILMS),
  do_audio: refused(FILMS),
  'audio_*': refused(FILMS),
  // With one frame these say nothing, and forms write them into every file.
  shrink_video_to_frames: ignored('a picture is one frame', true),
  fps: ignored('a picture is one frame', 24),
  do_i2v: ignored('a picture is one frame', true),
  poi: refused('deprecated upstream: crop the pictures'),
} satisfies Rows;

type DatasetValues = Values<typeof datasetRows>;

/** A set of pictures at one resolution. */
export interface DatasetSettings extends Omit<
  DatasetValues,
  'folderPath' | 'datasetPath' | 'captionType' | 'captionExt' | 'batchSize' | 'resolution' | 'type'
> {
  /** Folder of pictures, or a JSON file of paths and captions; absolute. */
  readonly folderPath: string;
  /** Side of the square whose area pictures have at most, in pixels. */
  readonly resolution: number;
  /** Pictures of a micro-batch of this set. */
  readonly batchSize: number;
  /** Ending of the text files beside the pictures, with its dot. */
  readonly captionExt: string;
}

/** A set for each of the resolutions; what it does not say is the process's. */
export function datasetSettings(
  values: DatasetValues,
  process: { readonly batchSize: number; readonly trigger: string | undefined },
): DatasetSettings[] {
  const { folderPath, datasetPath, captionExt, captionType, batchSize, resolution, ...rest } =
    values;
  return resolution.map((one) => ({
    ...rest,
    resolution: one,
    folderPath: folderPath ?? datasetPath ?? '',
    batchSize: batchSize ?? process.batchSize,
    captionExt: captionExt ?? captionType ?? '.txt',
    triggerWord: rest.triggerWord ?? process.trigger,
  }));
}
