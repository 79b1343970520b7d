/** What most pictures are made of, in the order of the work. */
export const essentials: readonly string[] = [
  'CheckpointLoaderSimple',
  'LoraLoader',
  'CLIPTextEncode',
  'EmptyLatentImage',
  'KSampler',
  'VAEDecode',
  'VAEEncode',
  'LoadImage',
  'SaveImage',
  'PreviewImage',
  'ImageScale',
  'ControlNetLoader',
  'ControlNetApplyAdvanced',
  'UpscaleModelLoader',
  'ImageUpscaleWithModel',
  'VAEEncodeForInpaint',
];
