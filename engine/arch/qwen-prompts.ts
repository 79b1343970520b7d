/** What Qwen2.5-VL is told of pictures. */

/** What Qwen-Image-Edit says around a prompt with pictures. */
export const qwenEditTemplate =
  '<|im_start|>system\nDescribe the key features of the input image (color, shape, size, texture, objects, ' +
  "background), then explain how the user's text instruction should alter or modify the image. Generate a new " +
  "image that meets the user's requirements while maintaining consistency with the original input where " +
  'appropriate.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n';

/** Where a picture stands in a prompt. */
export const qwenPicture = '<|vision_start|><|image_pad|><|vision_end|>';
