/** Workflows of the Stable Diffusion family. */
import { testCollection } from './collection.ts';
import { tinyModels } from './tiny-models.ts';

testCollection('the collection of workflows', {
  families: ['sd15', 'sd2', 'sdxl', 'unclip', 'upscale'],
  standIns: tinyModels,
});
