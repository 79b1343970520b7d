/** Pictures and widgets: an image is `{ data: Float32Array, shape: [batch, height, width, channels] }`. */
import { boolean, combo, defineNode, float, image, int, optional, string } from 'noodle/node';
import type { Image, NodeDefinition } from 'noodle/node';

const CATEGORY = 'example/pictures';

/** The same picture with f applied to every value. */
const mapImage = ({ data, shape }: Image, f: (value: number) => number): Image => ({
  data: data.map(f),
  shape,
});

/** Widgets of every kind, options as ComfyUI's front end knows them. */
const adjust = defineNode({
  name: 'ExampleAdjust',
  displayName: 'Adjust (example)',
  description: 'Brightness and contrast, or a negative.',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {
    image: image({ tooltip: 'Any picture.' }),
    mode: combo(['adjust', 'negative'] as const, { default: 'adjust' }),
    brightness: float({ default: 0, min: -1, max: 1, step: 0.01, display: 'slider' }),
    contrast: float({ default: 1, min: 0, max: 4, step: 0.05, round: 0.01 }),
    levels: int({ default: 256, min: 2, max: 256, tooltip: 'How many shades remain.' }),
    clamp: boolean({ default: true, label_on: 'clamp', label_off: 'keep' }),
    note: optional(string({ multiline: true, default: '' })),
  },
  outputs: [{ type: 'IMAGE', name: 'picture', tooltip: 'The changed picture.' }],
  searchAliases: ['brightness', 'contrast', 'invert'],
  run({ image, mode, brightness, contrast, levels, clamp }) {
    if (mode === 'negative') return [mapImage(image, (value) => 1 - value)];
    const shade = (value: number): number => Math.round(value * (levels - 1)) / (levels - 1);
    return [
      mapImage(image, (value) => {
        const changed = shade((value - 0.5) * contrast + 0.5 + brightness);
        return clamp ? Math.min(1, Math.max(0, changed)) : changed;
      }),
    ];
  },
});

/** Checks beyond min and max: the text of the answer is shown at the node. */
const gradient = defineNode({
  name: 'ExampleGradient',
  displayName: 'Gradient (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {
    width: int({ default: 64, min: 1, max: 4096 }),
    height: int({ default: 64, min: 1, max: 4096 }),
    color: string({ default: '#ff8000' }),
  },
  outputs: [{ type: 'IMAGE' }],
  validate: {
    inputs: ['color'],
    check: ({ color }) =>
      // A linked input is null here: its value is not known yet.
      color === null || /^#[0-9a-f]{6}$/i.test(color as string) || 'expected a colour like #ff8000',
  },
  run({ width, height, color }) {
    const rgb = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
    const data = new Float32Array(width * height * 3);
    for (let i = 0; i < data.length; i++) {
      const x = Math.floor(i / 3) % width;
      data[i] = (rgb[i % 3] * (x + 1)) / width;
    }
    return [{ data, shape: [1, height, width, 3] }];
  },
});

/** An output node: it is always run, and `ui` is what the page shows. */
const report = defineNode({
  name: 'ExampleReport',
  displayName: 'Report (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: { image: image() },
  hidden: { id: 'UNIQUE_ID', prompt: 'PROMPT' },
  outputs: [],
  outputNode: true,
  run({ image, id, prompt }) {
    const mean = image.data.reduce((sum, value) => sum + value, 0) / image.data.length;
    const nodes = Object.keys(prompt).length;
    const text = `node ${id} of ${nodes}: [${image.shape.join(', ')}], mean ${mean.toFixed(3)}`;
    return { ui: { text: [text] } };
  },
});

export const pictureNodes: readonly NodeDefinition[] = [adjust, gradient, report];
