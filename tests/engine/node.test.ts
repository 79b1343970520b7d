/** What the types of node definitions let pass. `npm run types` is half of this test. */
import { describe, expect, it } from 'vitest';
import {
  clip,
  combo,
  defineNode,
  image,
  inModule,
  int,
  optional,
  socket,
  string,
} from '../../engine/node.ts';
import type { Clip, Image, Prompt } from '../../engine/node.ts';

const common = { category: 'x', module: 'm', form: 'v1', outputs: [] } as const;

describe('defineNode', () => {
  it('gives run its declared and hidden inputs, and no others', () => {
    const node = defineNode({
      ...common,
      name: 'A',
      inputs: { image: image(), clip: clip(), n: optional(int()), mode: combo(['a', 'b']) },
      hidden: { prompt: 'PROMPT', id: 'UNIQUE_ID', any: ['INT'] },
      run({ image, clip, n, mode, prompt, id, any }) {
        const picture: Image = image;
        const encoder: Clip | null = clip;
        // @ts-expect-error -- a checkpoint may hold no text encoder
        const present: Clip = clip;
        const count: number | undefined = n;
        const choice: 'a' | 'b' = mode;
        const nodes: Prompt = prompt;
        const text: string = id;
        const unknown: unknown = any;
        return [picture, encoder, present, count, choice, nodes, text, unknown];
      },
    });
    expect(node.name).toBe('A');
    defineNode({
      ...common,
      name: 'B',
      inputs: { width: int() },
      // @ts-expect-error -- no such input
      run: ({ widht }) => [widht],
    });
    defineNode({
      ...common,
      name: 'C',
      inputs: { width: int() },
      // @ts-expect-error -- no such input
      isChanged: ({ widht }) => widht as unknown,
      run: ({ width }) => [width],
    });
  });

  it('gives lists to nodes that take lists, and anything to those that accept all', () => {
    defineNode({
      ...common,
      name: 'Lists',
      inputs: { images: image(), size: int() },
      inputIsList: true,
      run: ({ images, size: [size] }) => {
        const all: readonly Image[] = images;
        const first: number = size;
        return [all, first];
      },
    });
    const all = defineNode({
      ...common,
      name: 'All',
      inputs: { a: string() },
      acceptAllInputs: true,
      run: ({ a, whatever }) => [a.length, whatever],
    });
    expect(all.acceptAllInputs).toBe(true);
  });
});

describe('inModule', () => {
  const define = inModule('comfy_extras.nodes_x', 'v3', {
    category: 'x',
    outputs: [{ type: 'INT' }],
  });

  it('fills in what the nodes of a file share', () => {
    const node = define({ name: 'A', inputs: { n: int() }, run: ({ n }) => [n + 1] });
    expect(node).toMatchObject({ module: 'comfy_extras.nodes_x', form: 'v3', category: 'x' });
    const own = define({ name: 'B', category: 'y', outputs: [], inputs: {}, run: () => [] });
    expect(own).toMatchObject({ category: 'y', outputs: [] });
    // @ts-expect-error -- no such input
    define({ name: 'C', inputs: { n: int() }, run: ({ m }) => [m] });
    // @ts-expect-error -- outputs are stated nowhere
    inModule('m', 'v1')({ name: 'D', category: 'x', inputs: {}, run: () => [] });
  });
});

it('a socket says what run relies on', () => {
  expect(socket('X')).toMatchObject({ type: 'X', optional: false });
  expect(image().needs).toEqual(['shape', 'data']);
});
