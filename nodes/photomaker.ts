/** PhotoMaker: a person of a picture in a prompt. */
import { clip, combo, image, inModule, socket, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import type { PhotoMaker } from '../engine/values/photomaker.ts';
import { promptRun } from './prompt-run.ts';

const defineNode = inModule('comfy_extras.nodes_photomaker', 'v3', {
  category: '_for_testing/photomaker',
  experimental: true,
});

export const photoMakerLoader = defineNode({
  name: 'PhotoMakerLoader',
  description: 'Opens a PhotoMaker (version 1), which knows people by a picture.',
  inputs: {
    photomaker_model_name: combo((source) => source.modelFiles('photomaker'), {
      multiselect: false,
    }),
  },
  outputs: [{ type: 'PHOTOMAKER' }],
  async run({ photomaker_model_name }, { services }) {
    const [{ openSource }, { openPhotoMaker }] = await Promise.all([
      import('../engine/weights/open.ts'),
      import('../engine/values/photomaker.ts'),
    ]);
    const path = services.folders.modelFile('photomaker', photomaker_model_name);
    return [openPhotoMaker(await openSource(path))];
  },
});

export const photoMakerEncode = defineNode({
  name: 'PhotoMakerEncode',
  description:
    'Encodes a prompt in which the word "photomaker" stands for the person of the picture.',
  inputs: {
    photomaker: socket<PhotoMaker>('PHOTOMAKER', {}, []),
    image: image({}),
    clip: clip({}),
    text: string({
      default: 'photograph of photomaker',
      multiline: true,
      dynamicPrompts: true,
    }),
  },
  outputs: [{ type: 'CONDITIONING' }],
  async run({ photomaker, image: pictures, clip: encoder, text }, context) {
    const { encodeWithPerson } = await import('../engine/values/photomaker.ts');
    const prompt = { clip: encoder, text };
    return [[await encodeWithPerson(photomaker, pictures, prompt, promptRun(context))]];
  },
});

export const photoMakerNodes: readonly NodeDefinition[] = [photoMakerLoader, photoMakerEncode];
