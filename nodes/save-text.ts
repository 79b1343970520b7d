/** Texts and drawings saved. */
import { inModule, combo, socket, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { withMetadata } from '../engine/media/formats/svg.ts';
import { parseJson, stringifyJson } from '../engine/workflow/lossless-json.ts';
import { workflowInputs } from './image-io.ts';
import { savable } from './save-prefix.ts';

export const saveText = inModule(
  'comfy_extras.nodes_text',
  'v3',
)({
  name: 'SaveText',
  displayName: 'Save Text',
  category: 'text',
  description: 'Saves a text into the output folder; JSON is written with line breaks.',
  inputs: {
    text: string({ forceInput: true }),
    filename_prefix: string({ default: 'ComfyUI' }),
    format: combo(['txt', 'csv', 'md', 'json'], { default: 'txt' }),
  },
  hidden: workflowInputs,
  outputs: [{ type: 'STRING', name: 'text' }],
  outputNode: true,
  validate: savable('.json'),
  run: ({ text, filename_prefix, format }, { services }) => {
    const target = { ...services.folders.saveTarget(filename_prefix, 'output'), tail: '' };
    const content = format === 'json' ? spread(text) : text;
    const { name } = services.folders.writeNumbered(target, `.${format}`, content);
    const file = { filename: name, subfolder: target.subfolder, type: 'output' };
    return { result: [text], ui: { text: [text], files: [file] } };
  },
});

/** JSON with line breaks; what is no JSON stays as it is. */
function spread(text: string): string {
  try {
    return stringifyJson(parseJson(text), { indent: 2, ascii: false });
  } catch {
    return text;
  }
}

/** SVG on a wire: the bytes of one or more drawings. */
interface Svg {
  readonly data: readonly Uint8Array[];
}

export const saveSvg = inModule(
  'comfy_extras.nodes_images',
  'v1',
)({
  name: 'SaveSVGNode',
  displayName: 'SaveSVGNode',
  category: 'image/save',
  description: 'Saves SVG files.',
  inputs: {
    svg: socket<Svg>('SVG', undefined, ['data']),
    filename_prefix: string({ default: 'svg/ComfyUI' }),
  },
  hidden: workflowInputs,
  outputs: [{ type: 'SVG', name: 'svg' }],
  outputNode: true,
  validate: savable('.svg'),
  run: ({ svg, filename_prefix, prompt, extra_pnginfo }, { services }) => {
    const to = services.folders.saveTarget(filename_prefix, 'output');
    const workflow = prompt ? { prompt, ...extra_pnginfo } : { ...extra_pnginfo };
    const written = services.options.disableMetadata ? {} : workflow;
    let { counter } = to;
    const images = svg.data.map((bytes, i) => {
      const filename = to.filename.replaceAll('%batch_num%', String(i));
      const text = withMetadata(new TextDecoder().decode(bytes), written);
      const file = services.folders.writeNumbered({ ...to, filename, counter }, '.svg', text);
      counter = file.counter + 1;
      return { filename: file.name, subfolder: to.subfolder, type: 'output' };
    });
    return { result: [svg], ui: { images } };
  },
});

export const saveTextNodes: readonly NodeDefinition[] = [saveText, saveSvg];
