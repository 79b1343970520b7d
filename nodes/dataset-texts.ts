/** Texts of datasets changed and joined. */
import { inModule, int, string } from '../engine/node.ts';
import type { InputSpec, InputValues, NodeDefinition } from '../engine/node.ts';
import { replaceAll, slice, strip } from '../engine/python/string.ts';

const define = inModule('comfy_extras.nodes_dataset', 'v3', { experimental: true });

type Inputs = Readonly<Record<string, InputSpec>>;
interface Names {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly deprecated?: boolean;
}

/** A node that changes a text. The reference prints no word on whether its output is a list: null. */
const textNode = <const I extends Inputs>(
  names: Names,
  inputs: I,
  change: (text: string, values: InputValues<I>) => string,
): NodeDefinition =>
  define({
    ...names,
    category: 'text',
    inputs: { texts: string(), ...inputs },
    outputs: [{ type: 'STRING', name: 'texts', list: null }],
    run: (given) => [change(given.texts as string, given as InputValues<I>)],
  });

const part = () => string({ default: '' });

export const datasetTextNodes: readonly NodeDefinition[] = [
  textNode(
    {
      name: 'TextToLowercase',
      displayName: 'Convert Text to Lowercase (DEPRECATED)',
      description: 'The text in lower case.',
      deprecated: true,
    },
    {},
    (text) => text.toLowerCase(),
  ),
  textNode(
    {
      name: 'TextToUppercase',
      displayName: 'Convert Text to Uppercase (DEPRECATED)',
      description: 'The text in upper case.',
      deprecated: true,
    },
    {},
    (text) => text.toUpperCase(),
  ),
  textNode(
    {
      name: 'TruncateText',
      displayName: 'Truncate Text',
      description: 'The first characters of the text.',
    },
    { max_length: int({ default: 77, min: 1, max: 10000 }) },
    (text, { max_length }) => slice(text, 0, max_length),
  ),
  textNode(
    {
      name: 'AddTextPrefix',
      displayName: 'Add Text Prefix (DEPRECATED)',
      description: 'Another text, then the text.',
      deprecated: true,
    },
    { prefix: part() },
    (text, { prefix }) => prefix + text,
  ),
  textNode(
    {
      name: 'AddTextSuffix',
      displayName: 'Add Text Suffix (DEPRECATED)',
      description: 'The text, then another one.',
      deprecated: true,
    },
    { suffix: part() },
    (text, { suffix }) => text + suffix,
  ),
  textNode(
    {
      name: 'ReplaceText',
      displayName: 'Replace Text (DEPRECATED)',
      description: 'The text with every occurrence of a part replaced.',
      deprecated: true,
    },
    { find: part(), replace: part() },
    (text, { find, replace }) => replaceAll(text, find, replace),
  ),
  textNode(
    {
      name: 'StripWhitespace',
      displayName: 'Strip Whitespace (DEPRECATED)',
      description: 'The text without white space around it.',
      deprecated: true,
    },
    {},
    (text) => strip(text),
  ),
  define({
    name: 'MergeTextLists',
    displayName: 'Merge Text Lists (DEPRECATED)',
    category: 'text',
    description: 'The texts as one list in a single value.',
    deprecated: true,
    inputIsList: true,
    inputs: { texts: string() },
    outputs: [{ type: 'STRING', name: 'texts', list: null }],
    run: ({ texts }) => [texts],
  }),
];
