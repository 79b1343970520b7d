/** Nodes that are written to show something: ComfyUI's walkthrough for authors, and the tests of a converter. */
import { combo, image, rows, string } from 'noodle/node';
import type { Image, NodeDefinition } from 'noodle/node';
import { inCategory } from './define.ts';

const MODES = ['brightest', 'reddest', 'greenest', 'bluest'] as const;

/** How bright each picture of a batch is, or how much of it is of the channel of this mode. */
function scoresOf(images: Image, mode: (typeof MODES)[number]): number[] {
  return Array.from({ length: images.shape[0] }, (_, n) => {
    const { data, shape } = rows(images, n, n + 1);
    const sums = new Float64Array(shape[3]);
    data.forEach((v, i) => (sums[i % sums.length] += v));
    const brightness = sums.reduce((all, sum) => all + sum, 0) / data.length;
    if (mode === 'brightest') return brightness;
    const channel = sums[MODES.indexOf(mode) - 1] / (data.length / sums.length);
    return channel / (brightness + 1e-8);
  });
}

const test = inCategory('test/runtime');
const text = (name: string) => ({ type: 'STRING', name });

export const exampleNodes: readonly NodeDefinition[] = [
  inCategory('example')({
    name: 'Image Selector',
    description: 'The picture of a batch that is brightest, or most of one colour.',
    inputs: { images: image(), mode: combo(MODES) },
    outputs: [{ type: 'IMAGE' }],
    run({ images, mode }) {
      const scores = scoresOf(images, mode);
      const best = scores.indexOf(Math.max(...scores));
      return [rows(images, best, best + 1)];
    },
  }),
  test({
    name: 'PassthroughText',
    inputs: { text: string() },
    outputs: [text('text')],
    outputNode: true,
    run: ({ text }) => ({ ui: { text: [text] }, result: [text] }),
  }),
  test({
    name: 'JoinText',
    inputs: { left: string(), right: string() },
    outputs: [text('text')],
    outputNode: true,
    run({ left, right }) {
      const joined = `${left}|${right}`;
      return { ui: { text: [joined] }, result: [joined] };
    },
  }),
  test({
    name: 'SplitText',
    inputs: { text: string() },
    outputs: [text('left'), text('right')],
    run({ text }) {
      const [left, ...rest] = text.split('|');
      return [left, rest.join('|')];
    },
  }),
];
