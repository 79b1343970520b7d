/** Nodes that show what they get: text as text, pictures through ComfyUI's own PreviewImage. */
import { combo, image, isLink, mask, optional, pythonStr, string } from 'noodle/node';
import type { Context, NodeDefinition, NodeResult } from 'noodle/node';
import { anything, inCategory } from './define.ts';
import { isArray, isLatent } from './numbers.ts';

const essentials = inCategory('essentials/utilities');
const rgthree = inCategory('rgthree');

/** Longest text of a value that is shown. */
const LONGEST = 10_000;

/** A value in words; arrays by their shape, not by their numbers. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value;
  if (isArray(value)) return `tensor of shape [${value.shape.join(', ')}]`;
  if (isLatent(value)) return `latent of shape [${value.samples.shape.join(', ')}]`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`.slice(0, LONGEST);
  if (typeof value === 'object' && value !== null) return `{${Object.keys(value).join(', ')}}`;
  return pythonStr(value);
}

/** The shapes of all arrays in a value, as Python would print the list. */
function shapesOf(value: unknown): readonly number[][] {
  if (isArray(value)) return [[...value.shape]];
  if (Array.isArray(value)) return value.flatMap(shapesOf);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(shapesOf);
  return [];
}

const printed = (shapes: readonly number[][]): string =>
  `[${shapes.map((shape) => `[${shape.join(', ')}]`).join(', ')}]`;

const textNodes: readonly NodeDefinition[] = [
  rgthree({
    name: 'Display Any (rgthree)',
    inputs: { source: anything({}) },
    outputs: [],
    outputNode: true,
    run: ({ source }) => ({ ui: { text: [describe(source)] } }),
  }),
  rgthree({
    name: 'Display Int (rgthree)',
    inputs: { input: anything({ forceInput: true }) },
    outputs: [],
    outputNode: true,
    run: ({ input }) => ({ ui: { text: [describe(input)] } }),
  }),
  essentials({
    name: 'DisplayAny',
    displayName: '🔧 Display Any',
    inputs: { input: anything({}), mode: combo(['raw value', 'tensor shape'] as const) },
    outputs: [{ type: 'STRING' }],
    outputNode: true,
    run({ input, mode }) {
      const text = mode === 'tensor shape' ? printed(shapesOf(input)) : describe(input);
      return { ui: { text: [text] }, result: [text] };
    },
  }),
  essentials({
    name: 'ConsoleDebug+',
    displayName: '🔧 Console Debug',
    inputs: {
      value: anything({}),
      prefix: optional(string({ multiline: false, default: 'Value:' })),
    },
    outputs: [],
    outputNode: true,
    run: ({ value, prefix = 'Value:' }) => ({ ui: { text: [`${prefix} ${describe(value)}`] } }),
  }),
  essentials({
    name: 'DebugTensorShape+',
    displayName: '🔧 Debug Tensor Shape',
    inputs: { tensor: anything({}) },
    outputs: [],
    outputNode: true,
    run: ({ tensor }) => ({ ui: { text: [`Shapes found: ${printed(shapesOf(tensor))}`] } }),
  }),
  inCategory('EasyUse/Logic')({
    name: 'easy showAnything',
    displayName: 'Show Any',
    inputs: { anything: optional(anything()) },
    inputIsList: true,
    outputs: [{ type: '*', name: 'output' }],
    outputNode: true,
    run({ anything = [] }) {
      const [only] = anything;
      return {
        ui: { text: anything.map(describe) },
        result: [anything.length === 1 ? only : anything],
      };
    },
  }),
];

/** Shows the pictures of these links one after another; sizes follow the first. */
function preview(context: Context, links: readonly unknown[]): NodeResult {
  if (links.length === 0) return { result: [] };
  const graph = context.newGraph();
  const images = links.reduce((image1, image2) =>
    graph.node('ImageBatch', { image1, image2 }).out(0),
  );
  graph.node('PreviewImage', { images });
  return { result: [], expand: graph.finalize() };
}

/** A mask as a grey picture. */
const maskPreview = (
  define: ReturnType<typeof inCategory>,
  name: string,
  displayName: string,
): NodeDefinition =>
  define({
    name,
    displayName,
    inputs: { mask: mask({ rawLink: true }) },
    outputs: [],
    outputNode: true,
    run({ mask }, context) {
      const graph = context.newGraph();
      const picture = graph.node('MaskToImage', { mask });
      graph.node('PreviewImage', { images: picture.out(0) });
      return { result: [], expand: graph.finalize() };
    },
  });

const pictureNodes: readonly NodeDefinition[] = [
  rgthree({
    name: 'Image Comparer (rgthree)',
    description: 'Shows two pictures.',
    inputs: {
      image_a: optional(image({ rawLink: true })),
      image_b: optional(image({ rawLink: true })),
    },
    outputs: [],
    outputNode: true,
    run: ({ image_a, image_b }, context) => preview(context, [image_a, image_b].filter(isLink)),
  }),
  maskPreview(inCategory('essentials/mask'), 'MaskPreview+', '🔧 Mask Preview'),
  maskPreview(
    inCategory('😺dzNodes/LayerMask'),
    'LayerMask: MaskPreview',
    'LayerMask: MaskPreview',
  ),
];

export const showNodes: readonly NodeDefinition[] = [...textNodes, ...pictureNodes];
