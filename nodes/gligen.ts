/** GLIGEN: words in boxes. */
import { clip, combo, conditioning, inModule, int, socket, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { encodePrompt, requireClip, withPlainPooled } from '../engine/values/clip.ts';
import type { Gligen } from '../engine/values/gligen.ts';
import { cells } from '../engine/values/media.ts';
import { promptRun } from './prompt-run.ts';

const defineNode = inModule('nodes', 'v1', {});
const pixels = (min: number, value = min) => int({ default: value, min, max: 16384, step: 8 });

export const gligenLoader = defineNode({
  name: 'GLIGENLoader',
  displayName: 'GLIGENLoader',
  category: 'loaders',
  description: 'Opens a GLIGEN, which places what words say in boxes of the picture.',
  inputs: { gligen_name: combo((source) => source.modelFiles('gligen')) },
  outputs: [{ type: 'GLIGEN' }],
  async run({ gligen_name }, { services }) {
    const [{ openSource }, { openGligen }] = await Promise.all([
      import('../engine/weights/open.ts'),
      import('../engine/values/gligen.ts'),
    ]);
    const path = services.folders.modelFile('gligen', gligen_name);
    return [openGligen(await openSource(path))];
  },
});

export const gligenTextBoxApply = defineNode({
  name: 'GLIGENTextBoxApply',
  displayName: 'GLIGENTextBoxApply',
  category: 'conditioning/gligen',
  description: 'Asks for something in a box of the picture. The prompt should name it too.',
  inputs: {
    conditioning_to: conditioning(),
    clip: clip(),
    gligen_textbox_model: socket<Gligen>('GLIGEN', undefined, []),
    text: string({ multiline: true, dynamicPrompts: true }),
    width: pixels(8, 64),
    height: pixels(8, 64),
    x: pixels(0),
    y: pixels(0),
  },
  outputs: [{ type: 'CONDITIONING' }],
  async run({ conditioning_to, clip: encoder, gligen_textbox_model, text, ...place }, context) {
    const { withTextBox } = await import('../engine/values/gligen.ts');
    const plain = withPlainPooled(requireClip(encoder));
    const { pooled } = await encodePrompt(plain, text, promptRun(context));
    const { height, width, x, y } = place;
    const box = { height: cells(height), width: cells(width), y: cells(y), x: cells(x) };
    return [withTextBox(conditioning_to, gligen_textbox_model, { text: pooled!, ...box })];
  },
});

export const gligenNodes: readonly NodeDefinition[] = [gligenLoader, gligenTextBoxApply];
