/** Workflows of diffusion transformers; a family joins with rows of tiny models. */
import { join } from 'node:path';
import { placeVocabularies } from '../support/tiny-encoders.ts';
import { testCollection } from './collection.ts';
import { plainPrompts } from './plain-prompts.ts';
import { tinyTransformers } from './tiny-transformers.ts';

testCollection('workflows of diffusion transformers', {
  families: (
    'sd3 flux flux2 chroma lumina qwen omnigen auraflow zimage ' +
    'hidream pixart cascade hunyuandit cosmos'
  ).split(' '),
  standIns: tinyTransformers,
  more: plainPrompts,
  prepare: (base) => placeVocabularies(join(base, 'models/text_encoders')),
});
