/** Picture files for node packs; `noodle/node` loads it when a node asks (`pictureFiles()`). */
export { encodeGif, encodeWebp } from './animation.ts';
export { decodeImage } from './decode-image.ts';
export { pictureEncoders } from './encode-picture.ts';
export { encodePng } from './formats/png/encode.ts';
export { loadImageFile } from './load-image.ts';
export { toDeepPixels, toImageAndMask, toPixels } from './to-array.ts';
export { workflowTexts } from './workflow-texts.ts';
export { readImageWorkflow } from '../workflow/png-text.ts';
export type { PictureOptions } from './encode-picture.ts';
export type { Pixels } from './formats/png/encode.ts';
