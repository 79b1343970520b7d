/** Crystools: switches, pipes and lists of anything, values as JSON. */
import { boolean, conditioning, image, latent, mask, optional, socket, string } from 'noodle/node';
import type { InputSpec, NodeDefinition } from 'noodle/node';
import { anything, inCategory } from './define.ts';
import { describe } from './show.ts';

const switches = inCategory('crystools 🪛/Switch');
const pipes = inCategory('crystools 🪛/Pipe');
const lists = inCategory('crystools 🪛/List');

const lazy = { lazy: true };

/** [what it switches between, type of its output, an input of it]. */
const KINDS: readonly (readonly [string, string, () => InputSpec<unknown, false>])[] = [
  ['any', '*', () => anything(lazy)],
  ['string', 'STRING', () => string({ default: '', ...lazy })],
  ['conditioning', 'CONDITIONING', () => conditioning(lazy)],
  ['image', 'IMAGE', () => image(lazy)],
  ['latent', 'LATENT', () => latent(lazy)],
  ['mask', 'MASK', () => mask(lazy)],
];

const isOn = () => boolean({ default: true });

const switchNodes: readonly NodeDefinition[] = [
  ...KINDS.map(([kind, type, input]) =>
    switches({
      name: `Switch ${kind} [Crystools]`,
      displayName: `🪛 Switch ${kind}`,
      inputs: { on_true: markedLazy(input()), on_false: markedLazy(input()), boolean: isOn() },
      outputs: [kind === 'any' ? { type } : { type, name: kind }],
      checkLazy: ({ boolean }) => [boolean === false ? 'on_false' : 'on_true'],
      run: ({ on_true, on_false, boolean }) => [boolean ? on_true : on_false],
    }),
  ),
  switches({
    name: 'Switch from any [Crystools]',
    displayName: '🪛 Switch from any',
    inputs: { any: anything(), boolean: isOn() },
    outputs: [
      { type: '*', name: 'on_true' },
      { type: '*', name: 'on_false' },
    ],
    run: ({ any, boolean }) => (boolean ? [any, null] : [null, any]),
  }),
];

/** Widgets may be lazy too. */
function markedLazy(spec: InputSpec<unknown, false>): InputSpec<unknown, false> {
  return { ...spec, lazy: true };
}

const numbers = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}_${i + 1}`);
const PLACES = numbers(6, 'any');
const PIPE = 'CPipeAny';
type Pipe = readonly unknown[];

const anyInputs = (names: readonly string[]): Readonly<Record<string, InputSpec<unknown, true>>> =>
  Object.fromEntries(names.map((name) => [name, optional(anything())]));

const pipeNodes: readonly NodeDefinition[] = [
  pipes({
    name: 'Pipe to/edit any [Crystools]',
    displayName: '🪛 Pipe to/edit any',
    inputs: {
      [PIPE]: optional(socket<Pipe | null>(PIPE)),
      ...anyInputs(PLACES),
    },
    outputs: [{ type: PIPE }],
    run(given) {
      const values = given as Readonly<Record<string, unknown>>;
      const before = (values[PIPE] ?? []) as Pipe;
      return [PLACES.map((name, i) => values[name] ?? before[i] ?? null)];
    },
  }),
  pipes({
    name: 'Pipe from any [Crystools]',
    displayName: '🪛 Pipe from any',
    inputs: { [PIPE]: socket<Pipe>(PIPE, undefined, 'list') },
    outputs: [{ type: PIPE, name: PIPE }, ...PLACES.map((name) => ({ type: '*', name }))],
    run(given) {
      const pipe = (given as Readonly<Record<string, Pipe>>)[PIPE];
      return [pipe, ...PLACES.map((_, i) => pipe[i] ?? null)];
    },
  }),
];

const LISTED = numbers(8, 'any');
const STRINGS = numbers(8, 'string');

const listNodes: readonly NodeDefinition[] = [
  lists({
    name: 'List of any [Crystools]',
    displayName: '🪛 List of any',
    inputs: anyInputs(LISTED),
    outputs: [{ type: '*', name: 'any_list', list: true }],
    /** A list with one element, the list: so a wire carries it whole. */
    run: (given) => [
      [LISTED.map((name) => given[name]).filter((value) => value !== null && value !== undefined)],
    ],
  }),
  lists({
    name: 'List of strings [Crystools]',
    displayName: '🪛 List of strings',
    inputs: {
      ...(Object.fromEntries(
        STRINGS.map((name) => [name, optional(string({ default: '' }))]),
      ) as Readonly<Record<string, InputSpec<string, true>>>),
      delimiter: optional(string({ default: ' ' })),
    },
    outputs: [
      { type: 'STRING', name: 'concatenated' },
      { type: 'ListString', name: 'list_string', list: true },
    ],
    run(given) {
      const values = given as Readonly<Record<string, string | undefined>>;
      const texts = STRINGS.map((name) => values[name] ?? '').filter((text) => text !== '');
      return [texts.join(values.delimiter ?? ''), [texts]];
    },
  }),
];

/** A record or list as JSON; what JSON has no word for (pictures, long numbers) in words. */
const asJson = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, part: unknown) =>
      typeof part === 'bigint' || (typeof part === 'object' && part !== null && 'data' in part)
        ? describe(part)
        : part,
    2,
  );

const jsonNode: NodeDefinition = inCategory('crystools 🪛/Debugger')({
  name: 'Show any to JSON [Crystools]',
  displayName: '🪛 Show any to JSON',
  inputs: { any_value: optional(anything()) },
  inputIsList: true,
  outputs: [{ type: 'STRING', name: 'string' }],
  outputNode: true,
  run({ any_value = [] }) {
    const [value] = any_value;
    const isPlain = typeof value === 'object' && value !== null;
    const text = any_value.length === 0 ? 'inactive' : isPlain ? asJson(value) : describe(value);
    return { ui: { text: [text] }, result: [text] };
  },
});

export const crystoolsNodes: readonly NodeDefinition[] = [
  ...switchNodes,
  ...pipeNodes,
  ...listNodes,
  jsonNode,
];
