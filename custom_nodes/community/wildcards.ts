/**
 * Impact Pack's wildcards: `{a|2::b}`, `{2$$, $$a|b|c}`, `__animals__`, `3#__animals__`. Choices are drawn as numpy's
 * generator draws them, so a seed gives the text that it gives there. Wildcards are the `.txt` files below
 * `wildcards` in the input folder, a line each.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { boolean, clip, combo, int64, model, numpyGenerator, string } from 'noodle/node';
import type { Context, NodeDefinition, NumpyGenerator } from 'noodle/node';
import { LIMIT, inCategory } from './define.ts';
import { loadInto } from './loras.ts';
import { matches } from './patterns.ts';

/** Lines by the name of their file. */
export type Wildcards = ReadonlyMap<string, readonly string[]>;

const FOLDER = 'wildcards';
const MOST_FILES = 5000;
const LARGEST_FILE = 2 ** 22;
const LONGEST_TEXT = 1_000_000;
/** Most wildcards in a text at once. */
const MOST_NAMES = 1000;
const MOST_COPIES = 1000;

const normal = (name: string): string =>
  name.replaceAll('\\', '/').replaceAll(' ', '-').toLowerCase();

/** The wildcards of the input folder; links are not followed. */
function readWildcards({ services }: Context): Wildcards {
  const root = services.folders.resolve('input', FOLDER);
  const found = new Map<string, readonly string[]>();
  if (!existsSync(root)) return found;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !entry.name.endsWith('.txt') || statSync(path).size > LARGEST_FILE)
      continue;
    if (found.size === MOST_FILES) break;
    const lines = readFileSync(path, 'utf8').split(/\r\n|\n|\r/);
    if (lines.at(-1) === '') lines.pop();
    const name = normal(relative(root, path).slice(0, -'.txt'.length));
    found.set(
      name,
      lines.filter((line) => !line.trim().startsWith('#')),
    );
  }
  return found;
}

/** A line that begins with # is gone, and the next one goes on the line before it. */
function withoutComments(text: string): string {
  const kept: string[] = [];
  let joins = false;
  for (const line of text.split('\n')) {
    if (line.trimStart().startsWith('#')) {
      joins = true;
    } else if (joins && kept.length > 0) {
      kept[kept.length - 1] += ` ${line}`;
      joins = false;
    } else {
      kept.push(line);
    }
  }
  return kept.join('\n');
}

const WILDCARD = /__([\w.\-+/*\\]+?)__/g;
const isNumber = (text: string): boolean => /^-?(\d*\.?\d+|\d+\.?\d*)$/.test(text);

/** The lines that a name means: its file's, or those of all files that a pattern with * fits. */
function linesOf(name: string, wildcards: Wildcards): readonly string[] | undefined {
  const key = normal(name);
  const own = wildcards.get(key);
  if (own !== undefined) return own;
  if (!key.includes('*')) {
    return key.includes('/') ? undefined : linesOf(`*/${name}`, wildcards);
  }
  const pattern = key.replaceAll('*', '.*').replaceAll('+', '\\+');
  const fitting = [...wildcards].filter(
    ([file]) => matches(pattern, file, true) || matches(pattern, `${file}/`, true),
  );
  return fitting.length === 0 ? undefined : fitting.flatMap(([, lines]) => lines);
}

/** How many of the options are taken, what is put between them, and the options. */
function selection(inside: string, wildcards: Wildcards) {
  const options = inside.split('|');
  const [head, ...rest] = options[0].split('$$');
  const range = /^(\d+)(?:-(\d+))?/.exec(head) ?? /^(?=-)(-)(\d+)/.exec(head);
  if (rest.length === 0 || rest.length > 2 || range === null) return { options, between: ' ' };
  const low = range[1] === '-' ? 1 : Number(range[1]);
  const high = Number(range[2] ?? low);
  const [between, first] = rest.length === 2 ? rest : [' ', rest[0]];
  const names = [...first.matchAll(WILDCARD)].map(([, name]) => name);
  const isWildcard = rest.length === 1 && options.length === 1 && names.length > 0;
  const all = isWildcard
    ? names.flatMap((name) => linesOf(name, wildcards) ?? [])
    : [first, ...options.slice(1)];
  return { options: all, between, range: [low, high] as const };
}

/** One `{…}` without others inside: the options that are drawn by their weights. */
function chosen(inside: string, numpy: NumpyGenerator, wildcards: Wildcards): string {
  const { options, between, range } = selection(inside, wildcards);
  if (range !== undefined && range[1] < range[0]) {
    throw new RangeError(`wildcard_text: expected a range that rises, got {${inside}}`);
  }
  const weights = options.map((option) => {
    const [weight, ...rest] = option.split('::');
    return rest.length > 0 && isNumber(weight.trim()) ? Number(weight) : 1;
  });
  const count = range === undefined ? 1 : range[0] + numpy.below(range[1] - range[0] + 1);
  const taken =
    count > options.length ? numpy.shuffled(options) : numpy.choose(options, weights, count);
  return taken.map((option) => option.replace(/^\s*[0-9.]+::/, '')).join(between);
}

/** All `{…}`, from the inside out. */
function withChoices(text: string, numpy: NumpyGenerator, wildcards: Wildcards): string {
  let now = text;
  for (;;) {
    const next = now.replace(/\{([^{}]*?)\}/g, (_, inside: string) =>
      chosen(inside, numpy, wildcards),
    );
    if (next === now && !/\{[^{}]*?\}/.test(now)) return now;
    now = next;
  }
}

/** `3#__name__` as as many names in a choice of their own. */
const withCopies = (text: string): string =>
  text.replace(/(\d+)#__([\w.\-+/*\\]+?)__/gi, (_, count: string, name: string) => {
    const copies = Math.min(Number(count), MOST_COPIES);
    return `__${Array<string>(copies).fill(name.toLowerCase()).join('__|__')}__`;
  });

/**
 * A text with its choices made and its wildcards put in (Impact Pack's `process`). Throws RangeError where a text
 * grows without end or a choice has nothing to choose from.
 */
export function populated(text: string, seed: number | bigint, wildcards: Wildcards): string {
  const numpy = numpyGenerator(seed);
  let now = withoutComments(text);
  for (let depth = 0; depth < 99; depth++) {
    const made = withChoices(withCopies(now), numpy, wildcards);
    let isReplaced = false;
    const names = [...made.matchAll(WILDCARD)];
    if (made.length > LONGEST_TEXT || names.length > MOST_NAMES) {
      throw new RangeError(
        `wildcard_text: grows beyond ${LONGEST_TEXT} characters or ${MOST_NAMES} wildcards`,
      );
    }
    now = names.reduce((sum, [whole, name]) => {
      const lines = linesOf(name, wildcards);
      // What is in no folder is looked for in all of them; the original leaves it written so.
      if (lines === undefined && !/[*/\\]/.test(name)) return sum.replace(whole, `__*/${name}__`);
      if (lines === undefined || lines.length === 0) return sum;
      isReplaced = true;
      return sum.replace(whole, () => lines[numpy.below(lines.length)]);
    }, made);
    if (!isReplaced) break;
  }
  return now;
}

const prompts = inCategory('ImpactPack/Prompt');
const text = () => string({ multiline: true, dynamicPrompts: false });
const mode = () => boolean({ default: true, label_on: 'Populate', label_off: 'Fixed' });
const seed = () => int64({ default: 0, min: 0, max: LIMIT });
const LORA = 'Select to add LoRA';
const CARD = 'Select to add Wildcard';
const chooseCard = () => combo(['Select the Wildcard to add to the text']);

/** What the page's lists say is nothing to the server. */
const anyChoice = { validate: { inputs: [LORA, CARD], check: () => true } };

interface Prompted {
  readonly wildcard_text: string;
  readonly populated_text: string;
  readonly mode: boolean;
  readonly seed: number | bigint;
}

/** The text that is meant: made anew in `Populate`, which the original does as the prompt arrives. */
const promptOf = (given: Prompted, context: Context): string =>
  populated(
    given.mode ? given.wildcard_text : given.populated_text,
    given.seed,
    readWildcards(context),
  );

/** LoRAs that a text names: `<lora:name:1:0.5>`; the first of equal names counts. */
function lorasIn(given: string): { name: string; model: number; clip: number }[] {
  const found = new Map<string, { name: string; model: number; clip: number }>();
  for (const [, inside] of given.matchAll(/<lora:([^>]+)>/g)) {
    const [name, ...rest] = inside.replace(/^:+|:+$/g, '').split(':');
    const [first = 1, second = first] = rest.filter(isNumber).map(Number);
    const file = /\.(safetensors|sft|ckpt|pt|pth|bin|pkl)$/i.test(name)
      ? name
      : `${name}.safetensors`;
    if (!found.has(name)) found.set(name, { name: file, model: first, clip: second });
  }
  return [...found.values()];
}

export const wildcardNodes: readonly NodeDefinition[] = [
  prompts({
    name: 'ImpactWildcardProcessor',
    inputs: {
      wildcard_text: text(),
      populated_text: text(),
      mode: mode(),
      seed: seed(),
      [CARD]: chooseCard(),
    },
    ...anyChoice,
    outputs: [{ type: 'STRING' }],
    run: (given, context) => [promptOf(given as unknown as Prompted, context)],
  }),
  prompts({
    name: 'ImpactWildcardEncode',
    inputs: {
      model: model({ rawLink: true }),
      clip: clip({ rawLink: true }),
      wildcard_text: text(),
      populated_text: text(),
      mode: mode(),
      [LORA]: combo((source) => [
        'Select the LoRA to add to the text',
        ...source.modelFiles('loras'),
      ]),
      [CARD]: chooseCard(),
      seed: seed(),
    },
    ...anyChoice,
    outputs: [
      { type: 'MODEL', name: 'model' },
      { type: 'CLIP', name: 'clip' },
      { type: 'CONDITIONING', name: 'conditioning' },
      { type: 'STRING', name: 'populated_text' },
    ],
    /** LoRAs of the text go onto model and encoder; parts between BREAKs are encoded one by one. */
    run(given, context) {
      const { model, clip } = given as unknown as { model: unknown; clip: unknown };
      const whole = promptOf(given, context);
      const graph = context.newGraph();
      const [changed, encoder] = loadInto(graph, { model, clip }, lorasIn(whole));
      const parts = whole
        .replace(/<lora:[^>]+>/g, '')
        .split('BREAK')
        .map((part) => part.trim())
        .filter((part) => part !== '');
      const conditioning = (parts.length === 0 ? [''] : parts)
        .map((part) => graph.node('CLIPTextEncode', { clip: encoder, text: part }).out(0))
        .reduce((conditioning_to, conditioning_from) =>
          graph.node('ConditioningConcat', { conditioning_to, conditioning_from }).out(0),
        );
      return { result: [changed, encoder, conditioning, whole], expand: graph.finalize() };
    },
  }),
];
