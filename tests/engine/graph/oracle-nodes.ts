/** The nodes tests/fixtures/execution.json was computed with: the testing pack and a few doubles. */
import type { NodeDefinition } from '../../../engine/graph/definition.ts';
import {
  boolean,
  combo,
  defineNode,
  float,
  image,
  optional,
  pythonRepr,
  socket,
  string,
  int,
} from '../../../engine/node.ts';
import { nodes as packNodes } from '../../protocol/pack/index.ts';
import { rebatch } from './rebatch.ts';

const module = 'custom_nodes.testing-pack';

/** A new set of nodes; the savers number their files from 0. */
export function oracleNodes(): Map<string, NodeDefinition> {
  let files = 0;
  const saver = (name: string, prefix: object): NodeDefinition =>
    defineNode({
      name,
      category: 'image',
      module,
      form: 'v1',
      inputs: { images: image(), ...prefix },
      hidden: { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' },
      outputs: [],
      outputNode: true,
      run: ({ images }) => ({
        ui: {
          images: Array.from({ length: images.shape[0] }, () => ({
            filename: `${files++}.png`,
            subfolder: '',
            type: 'output',
          })),
        },
      }),
    });

  const lazyDemo = defineNode({
    name: 'TestLazyDemo',
    category: 't',
    module,
    form: 'v1',
    inputs: { a: socket('*', { lazy: true }), which: string({ default: 'a' }) },
    outputs: [{ type: '*' }],
    checkLazy: ({ which }) => [which as string],
    run: ({ a }) => [a],
  });

  const show = defineNode({
    name: 'TestShow',
    category: 't',
    module,
    form: 'v1',
    inputs: {
      value: socket('*', {}),
      n: optional(int({ default: 1, min: 0, max: 10 })),
      f: optional(float({ default: 1, min: 0, max: 10 })),
      s: optional(string({})),
      b: optional(boolean({})),
      c: optional(combo(['a', 'b'])),
      long: optional(
        combo(
          Array.from({ length: 30 }, (_, i) => String(i)),
          {},
        ),
      ),
    },
    outputs: [{ type: '*' }, { type: 'STRING' }],
    outputNode: true,
    run: ({ value, ...rest }) => ({
      ui: {
        text: [pythonRepr(value)],
        keys: Object.entries(rest)
          .flatMap(([key, given]) => (given === undefined ? [] : [key]))
          .sort(),
      },
      result: [value, 's'],
    }),
  });

  const doubles = [
    saver('SaveImage', { filename_prefix: string() }),
    saver('PreviewImage', {}),
    rebatch,
    lazyDemo,
    show,
  ];
  return new Map([...packNodes, ...doubles].map((node) => [node.name, node]));
}
