/** Comfyroll: lists, colours that are drawn, and its switches of whole processes. */
import {
  boolean,
  clip,
  combo,
  conditioning,
  float,
  image,
  int,
  latent,
  model,
  optional,
  pythonRandom,
  socket,
  string,
} from 'noodle/node';
import type { NodeDefinition, OutputSpec, PythonRandom } from 'noodle/node';
import { STUDIO, WIKI, forced, help, out, plain, seed } from './comfyroll.ts';
import { inCategory } from './define.ts';
import { linesOf } from './lists.ts';

const random = inCategory(`${STUDIO}🛠️ Utils/🎲 Random`);
const list = inCategory(`${STUDIO}✨ Essential/📜 List`);
const listUtils = inCategory(`${STUDIO}✨ Essential/📜 List/🛠️ Utils`);
const process = inCategory(`${STUDIO}🛠️ Utils/🔂 Process`);
const outList = (type: string, name = type): OutputSpec => ({ type, name, list: true });

const COLOURS = ['hex_color1', 'hex_color2', 'hex_color3', 'hex_color4'];

/** Red, green and blue, drawn one after the other. */
const colour = ({ randint }: PythonRandom): string =>
  `#${[0, 1, 2].map(() => randint(0n, 255n).toString(16).padStart(2, '0')).join('')}`;

const randomNodes: readonly NodeDefinition[] = [
  random({
    name: 'CR Random Hex Color',
    displayName: '🎲 CR Random Hex Color',
    inputs: { seed: seed() },
    outputs: [...COLOURS.map((name) => out('STRING', name)), help],
    run({ seed }) {
      const python = pythonRandom(seed);
      const colours = COLOURS.map(() => colour(python));
      return [...colours, `${WIKI}Other-Nodes#cr-random-hex-color`];
    },
  }),
];

/** What the characters of a value are drawn from. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALPHABETS = {
  binary: '01',
  decimal: '0123456789',
  natural: '123456789',
  hexadecimal: '0123456789ABCDEF',
  alphabetic: LETTERS,
  alphanumeric: `${LETTERS}0123456789`,
  custom: '',
} as const;
const ALPHABET_NAMES = Object.keys(ALPHABETS) as (keyof typeof ALPHABETS)[];
const lineCount = () => int({ default: 5, min: 1, max: 2048 });
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

const randomLines: readonly NodeDefinition[] = [
  random({
    name: 'CR Random Multiline Values',
    displayName: '🎲 CR Random Multiline Values',
    inputs: {
      seed: seed(),
      value_type: combo(ALPHABET_NAMES),
      rows: lineCount(),
      string_length: int({ default: 5, min: 1, max: 1024 }),
      custom_values: plain('123ABC'),
      prepend_text: plain(),
    },
    outputs: [out('*', 'multiline_text'), help],
    run({ seed, value_type, rows, string_length, custom_values, prepend_text }) {
      const alphabet = [...(value_type === 'custom' ? custom_values : ALPHABETS[value_type])];
      const python = pythonRandom(seed);
      const value = () => times(string_length, () => python.choice(alphabet)).join('');
      const lines = times(rows, () => prepend_text + value());
      return [lines.join('\n'), `${WIKI}Other-Nodes#cr-random-multiline-values`];
    },
  }),
  random({
    name: 'CR Random Multiline Colors',
    displayName: '🎲 CR Random Multiline Colors',
    inputs: {
      seed: seed(),
      value_type: combo(['rgb', 'hex color', 'matplotlib xkcd'] as const),
      rows: lineCount(),
    },
    outputs: [out('STRING', 'multiline_text'), help],
    run({ seed, value_type, rows }) {
      const python = pythonRandom(seed);
      const digits = [...ALPHABETS.hexadecimal];
      const lines = {
        rgb: () => [0, 1, 2].map(() => python.randint(0n, 255n)).join(),
        'hex color': () => `#${times(6, () => python.choice(digits)).join('')}`,
        'matplotlib xkcd': (): string => {
          throw new RangeError("value_type: matplotlib's names of colours are not known here");
        },
      };
      return [
        times(rows, lines[value_type]).join('\n'),
        `${WIKI}Other-Nodes#cr-random-multiline-colors`,
      ];
    },
  }),
];

const rowCount = () => int({ default: 1000, min: 1, max: 9999 });
const firstRow = () => int({ default: 0, min: 0, max: 9999 });

const listNodes: readonly NodeDefinition[] = [
  list({
    name: 'CR Text List',
    displayName: '📜 CR Text List',
    inputs: {
      multiline_text: string({ multiline: true, default: 'text' }),
      start_index: firstRow(),
      max_rows: rowCount(),
    },
    outputs: [outList('STRING'), help],
    run: ({ multiline_text, start_index, max_rows }) => [
      linesOf(multiline_text, start_index, max_rows),
      `${WIKI}Other-Nodes#cr-text-list`,
    ],
  }),
  list({
    name: 'CR Prompt List',
    displayName: '📜 CR Prompt List',
    inputs: {
      prepend_text: plain(),
      multiline_text: string({ multiline: true, default: 'body_text' }),
      append_text: plain(),
      start_index: firstRow(),
      max_rows: rowCount(),
    },
    outputs: [outList('STRING', 'prompt'), outList('STRING', 'body_text'), help],
    run({ prepend_text, multiline_text, append_text, start_index, max_rows }) {
      const lines = linesOf(multiline_text, start_index, max_rows);
      const prompts = lines.map((line) => prepend_text + line + append_text);
      return [prompts, lines, `${WIKI}List-Nodes#cr-prompt-list`];
    },
  }),
  list({
    name: 'CR Simple List',
    displayName: '📜 CR Simple List',
    inputs: { list_values: string({ multiline: true, default: 'text' }) },
    outputs: [outList('*', 'LIST'), help],
    run: ({ list_values }) => [
      linesOf(list_values, 0, Infinity, false).map((line) => line.trim()),
      `${WIKI}List-Nodes#cr-simple-list`,
    ],
  }),
  list({
    name: 'CR Integer Range List',
    displayName: '📜 CR Integer Range List',
    inputs: {
      start: int({ default: 0, min: -99999, max: 99999 }),
      end: int({ default: 0, min: -99999, max: 99999 }),
      step: int({ default: 1, min: 1, max: 99999 }),
      loops: int({ default: 1, min: 1, max: 999 }),
      ping_pong: boolean({ default: false }),
    },
    outputs: [outList('INT'), help],
    run({ start, end, step, loops, ping_pong }) {
      const length = Math.max(0, Math.ceil((end - start) / step));
      if (length * loops > MOST) {
        throw new RangeError(`loops: expected at most ${MOST} values, got ${length * loops}`);
      }
      const forwards = Array.from({ length }, (_, i) => start + i * step);
      const rounds = Array.from({ length: loops }, (_, i) =>
        ping_pong && i % 2 === 1 ? forwards.toReversed() : forwards,
      );
      return [rounds.flat(), `${WIKI}List-Nodes#cr-list-schedule`];
    },
  }),
  list({
    name: 'CR Binary To Bit List',
    displayName: '📜 CR Binary To Bit List',
    inputs: { bit_string: string({ multiline: true, default: '' }) },
    outputs: [outList('STRING'), help],
    run: ({ bit_string }) => [[...bit_string], `${WIKI}List-Nodes#cr-binary-to-list`],
  }),
  listUtils({
    name: 'CR Intertwine Lists',
    displayName: '🛠️ CR Intertwine Lists',
    inputs: {
      list1: forced({ multiline: true }),
      list2: forced({ multiline: true }),
    },
    outputs: [outList('STRING'), help],
    run: ({ list1, list2 }) => [[`${list1}, ${list2}`], `${WIKI}List-Nodes#cr-intertwine-lists`],
  }),
  listUtils({
    name: 'CR Text List To String',
    displayName: '🛠️ CR Text List To String',
    inputs: { text_list: string({ forceInput: true }) },
    inputIsList: true,
    outputs: [out('STRING'), help],
    run: ({ text_list }) => [text_list.join('\n'), `${WIKI}List-Nodes#cr-text-list-to-string`],
  }),
];

/** The longest list that loops may make. */
const MOST = 1_000_000;

const processNodes: readonly NodeDefinition[] = [
  process({
    name: 'CR Img2Img Process Switch',
    displayName: '🔂 CR Img2Img Process Switch',
    inputs: {
      Input: combo(['txt2img', 'img2img'] as const),
      txt2img: optional(latent()),
      img2img: optional(latent()),
    },
    outputs: [out('LATENT'), help],
    run: ({ Input, ...latents }) => [
      latents[Input] ?? null,
      `${WIKI}Process-Nodes#cr-img2img-process-switch`,
    ],
  }),
  inCategory(`${STUDIO}🛠️ Utils/🔀 Logic`)({
    name: 'CR Switch Model and CLIP',
    displayName: '🔀 CR Switch Model and CLIP',
    inputs: {
      Input: int({ default: 1, min: 1, max: 2 }),
      model1: model(),
      clip1: clip(),
      model2: model(),
      clip2: clip(),
    },
    outputs: [out('MODEL'), out('CLIP'), help],
    run: ({ Input, model1, clip1, model2, clip2 }) => [
      ...(Input === 1 ? [model1, clip1] : [model2, clip2]),
      `${WIKI}Logic-Nodes#cr-switch-model-and-clip`,
    ],
  }),
  inCategory(`${STUDIO}✨ Essential/🕹️ ControlNet`)({
    name: 'CR Apply ControlNet',
    displayName: '🕹️ CR Apply ControlNet',
    inputs: {
      conditioning: conditioning({ rawLink: true }),
      control_net: socket<unknown>('CONTROL_NET', { rawLink: true }),
      image: image({ rawLink: true }),
      switch: combo(['On', 'Off'] as const),
      strength: float({ default: 1, min: 0, max: 10, step: 0.01 }),
    },
    outputs: [out('CONDITIONING'), help],
    run({ conditioning, switch: isOn, ...how }, context) {
      const page = `${WIKI}ControlNet-Nodes#cr-apply-controlnet`;
      if (isOn === 'Off') return [conditioning, page];
      const graph = context.newGraph();
      const applied = graph.node('ControlNetApply', { conditioning, ...how });
      return { result: [applied.out(0), page], expand: graph.finalize() };
    },
  }),
];

export const comfyrollListNodes: readonly NodeDefinition[] = [
  ...randomNodes,
  ...randomLines,
  ...listNodes,
  ...processNodes,
];
