/**
 * Which widgets the editor makes for a node class, and what a file's `widgets_values` says about
 * them. The list has no names in it: order, and extra entries for buttons and seed control, decide.
 */
import type { Json } from './lossless-json.ts';
import { isRecord } from './records.ts';
import type { GraphNode, InputInfo, NodeInfo } from './types.ts';

export interface Widget {
  readonly name: string;
  readonly input: InputInfo;
}

/** An entry of widgets_values: a widget's value, or something that is never sent. */
type Entry =
  | { readonly kind: 'value'; readonly widget: Widget }
  | { readonly kind: 'control' | 'button' | 'dummy' };

/** Input types that the editor shows as a widget. */
const WIDGET_TYPES = new Set([
  'INT',
  'FLOAT',
  'BOOLEAN',
  'STRING',
  'COMBO',
  'COLOR',
  'COLORS',
  'MARKDOWN',
  'TEXTAREA',
  'CURVE',
  'RANGE',
  'BOUNDING_BOX',
  'BOUNDING_BOXES',
  'COMPOSITOR',
  'PAINTER',
  'IMAGECROP',
  'IMAGECOMPARE',
  'IMAGEUPLOAD',
  'AUDIOUPLOAD',
  'AUDIO_UI',
  'AUDIO_RECORD',
  'FILEUPLOAD',
  'WEBCAM',
  'SELECTBUTTON',
  'MULTISELECT',
  'TREESELECT',
  'CHART',
  'GALLERIA',
]);

const DYNAMIC_COMBO = 'COMFY_DYNAMICCOMBO_V3';

const CONTROL_WORDS = new Set(['fixed', 'increment', 'decrement', 'randomize', 'increment-wrap']);

const options = (input: InputInfo): Readonly<Record<string, unknown>> => input[1] ?? {};

const typeOf = (input: InputInfo): string => {
  const { widgetType } = options(input);
  if (typeof widgetType === 'string') return widgetType;
  return typeof input[0] === 'string' ? input[0] : 'COMBO';
};

/** Whether the editor makes a widget for an input (its type has one and it is not forced to a socket). */
export function isWidget(input: InputInfo): boolean {
  const type = typeOf(input);
  return (WIDGET_TYPES.has(type) || type === DYNAMIC_COMBO) && options(input).forceInput !== true;
}

/** All inputs of a class in the order of their widgets: required, then optional. */
export function inputsInOrder(info: NodeInfo): [name: string, input: InputInfo][] {
  return (['required', 'optional'] as const).flatMap((group) => {
    const inputs = info.input?.[group] ?? {};
    // A JSON object loses the order of names that look like numbers; the list does not.
    const listed = info.input_order?.[group]?.filter((name) => Object.hasOwn(inputs, name)) ?? [];
    const names = [...listed, ...Object.keys(inputs).filter((name) => !listed.includes(name))];
    return names.map((name): [string, InputInfo] => [name, inputs[name]]);
  });
}

/** Whether a seed-like widget is followed by "control after generate". */
export function hasControl({ name, input }: Widget): boolean {
  const type = typeOf(input);
  const stated = options(input).control_after_generate;
  if (stated !== undefined) return Boolean(stated) && (type === 'INT' || type === 'COMBO');
  return type === 'INT' && (name === 'seed' || name === 'noise_seed');
}

/** The value of a widget that a file says nothing about. */
export function defaultValue(input: InputInfo): Json {
  const stated = options(input).default;
  if (stated !== undefined) return stated as Json;
  const type = typeOf(input);
  if (type === 'INT' || type === 'FLOAT') return 0;
  if (type === 'BOOLEAN') return false;
  if (type !== 'COMBO' && type !== DYNAMIC_COMBO) return '';
  const choices = Array.isArray(input[0]) ? (input[0] as Json[]) : options(input).options;
  const first = Array.isArray(choices) ? (choices as Json[])[0] : undefined;
  return isRecord(first) ? first.key : (first ?? null);
}

export interface WidgetValues {
  readonly values: Map<string, Json>;
  readonly widgets: Map<string, Widget>;
  readonly mismatch: boolean;
  /** Index into the stored list; the name itself where values are stored by name. */
  readonly places: ReadonlyMap<string, number | string>;
}

/**
 * Values by widget name for a node of a known class; a widget without a stored value has its
 * default. `mismatch` is set when the list does not fit the class (an older or newer version); `places`
 * says where in the list each value stands, or would.
 */
export function widgetValues(info: NodeInfo, stored: GraphNode['values']): WidgetValues {
  if (stored !== undefined && !isList(stored)) return namedValues(info, stored);
  const given = stored ?? [];
  const { entries, byPosition } = fittingLayout(info, given);
  const values = new Map<string, Json>();
  const widgets = new Map<string, Widget>();
  const places = new Map<string, number>();
  let mismatch = !byPosition;
  let at = 0;
  for (const entry of entries) {
    if (!byPosition && !takesEntry(entry, given[at])) continue;
    if (!byPosition && entry.kind === 'value' && isStrayControl(entry.widget, given[at])) at++;
    const value = at < given.length ? given[at] : undefined;
    at++;
    if (entry.kind !== 'value') continue;
    const { name, input } = entry.widget;
    widgets.set(name, entry.widget);
    places.set(name, at - 1);
    // A hole in the list (null) means that nothing was stored for the widget.
    const known = value !== undefined && value !== null;
    values.set(name, known ? value : defaultValue(input));
    if (known && !isPlausible(input, value)) mismatch = true;
  }
  return { values, widgets, mismatch, places };
}

/** The stored values of a node of a known class with another one for the widget of that name, where it has it. */
export function withWidgetValue(
  info: NodeInfo,
  stored: GraphNode['values'],
  name: string,
  value: Json,
): NonNullable<GraphNode['values']> {
  if (stored !== undefined && !isList(stored)) return { ...stored, [name]: value };
  const given = stored ?? [];
  const { entries } = fittingLayout(info, given);
  const place = entries.findIndex((e) => e.kind === 'value' && e.widget.name === name);
  if (place < 0) return given;
  const known = widgetValues(info, given).values;
  return entries
    .slice(0, Math.max(given.length, place + 1))
    .map((entry, i) =>
      i === place
        ? value
        : i < given.length
          ? given[i]
          : entry.kind === 'value'
            ? (known.get(entry.widget.name) ?? null)
            : null,
    )
    .concat(given.slice(entries.length));
}

/** Packs that store `{ name: value }` need no guessing. */
function namedValues(info: NodeInfo, stored: Readonly<Record<string, Json>>): WidgetValues {
  const values = new Map<string, Json>();
  const widgets = new Map<string, Widget>();
  for (const [name, input] of inputsInOrder(info)) {
    if (!isWidget(input)) continue;
    widgets.set(name, { name, input });
    values.set(name, Object.hasOwn(stored, name) ? stored[name] : defaultValue(input));
  }
  const places = new Map([...values.keys()].map((name) => [name, name]));
  return { values, widgets, mismatch: false, places };
}

/** Whether a stored value can be meant for an input. */
function isPlausible(input: InputInfo, value: Json): boolean {
  const type = typeOf(input);
  if (type === 'INT' || type === 'FLOAT') {
    return typeof value !== 'boolean' && !Number.isNaN(Number(value));
  }
  return type !== 'BOOLEAN' || typeof value === 'boolean';
}

/**
 * The layout of the list among those that front ends have written: plain, with upload buttons, with
 * dummies for forced inputs (before 1.16). The first whose length and control words fit wins; else
 * the plain one, matched entry by entry where its control words do not fit.
 */
function fittingLayout(
  info: NodeInfo,
  given: readonly Json[],
): { entries: Entry[]; byPosition: boolean } {
  const plain = layout(info, given, {});
  const candidates = [
    plain,
    layout(info, given, { buttons: true }),
    layout(info, given, { dummies: true }),
    layout(info, given, { dummies: true, buttons: true }),
  ];
  const controlled = (entries: readonly Entry[]): boolean =>
    entries.every(
      (entry, i) => entry.kind !== 'control' || i >= given.length || isControl(given[i]),
    );
  const exact = candidates.find(
    (entries) => entries.length === given.length && controlled(entries),
  );
  // Otherwise by position: older files lack widgets that came later, others have buttons' values.
  if (exact === undefined && !controlled(plain)) return { entries: plain, byPosition: false };
  return { entries: exact ?? plain, byPosition: true };
}

function layout(
  info: NodeInfo,
  given: readonly Json[],
  { buttons = false, dummies = false },
): Entry[] {
  const entries: Entry[] = [];
  const add = (name: string, input: InputInfo): void => {
    const widget = { name, input };
    if (!isWidget(input)) {
      if (dummies && options(input).forceInput === true) {
        entries.push({ kind: 'dummy' });
        if (hasControl(widget)) entries.push({ kind: 'control' });
      }
      return;
    }
    const place = entries.push({ kind: 'value', widget }) - 1;
    if (hasControl(widget)) entries.push({ kind: 'control' });
    if (typeOf(input) === DYNAMIC_COMBO) {
      for (const [inner, spec] of dynamicInputs(input, given[place])) add(`${name}.${inner}`, spec);
    }
  };
  const inputs = inputsInOrder(info);
  const required = Object.keys(info.input?.required ?? {}).length;
  // The button is made as one more required input.
  const uploads = buttons ? inputs.filter(([, input]) => isUpload(input)).length : 0;
  inputs.forEach(([name, input], i) => {
    add(name, input);
    if (i + 1 === required) for (let n = 0; n < uploads; n++) entries.push({ kind: 'button' });
  });
  return entries;
}

const UPLOADS = [
  'image_upload',
  'animated_image_upload',
  'video_upload',
  'audio_upload',
  'file_upload',
];

const isUpload = (input: InputInfo): boolean =>
  UPLOADS.some((flag) => options(input)[flag] === true);

/** The widgets that a dynamic combo shows for the chosen key. */
function dynamicInputs(input: InputInfo, chosen: Json | undefined): [string, InputInfo][] {
  const choices = options(input).options;
  if (!Array.isArray(choices)) return [];
  const key = chosen ?? defaultValue(input);
  const choice = (choices as unknown[]).find((item) => isRecord(item) && item.key === key);
  if (!isRecord(choice) || !isRecord(choice.inputs)) return [];
  return inputsInOrder({ input: choice.inputs });
}

const isList = (stored: GraphNode['values']): stored is readonly Json[] => Array.isArray(stored);

/** Control values are words; the oldest files have a boolean there. */
const isControl = (value: Json | undefined): boolean =>
  value === null ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && CONTROL_WORDS.has(value));

/** Matching entry by entry: an extra entry is taken only where its value looks like one. */
function takesEntry(entry: Entry, value: Json | undefined): boolean {
  if (entry.kind === 'value') return true;
  return entry.kind === 'control' && value !== null && isControl(value);
}

/** A control word where a number is due: the class has lost its control since. */
const isStrayControl = ({ input }: Widget, value: Json | undefined): boolean =>
  ['INT', 'FLOAT'].includes(typeOf(input)) && typeof value === 'string' && CONTROL_WORDS.has(value);

/**
 * Values for a class nobody knows: its slots that stand for widgets are named in the file; they take
 * the stored values in order, control words after a seed left out.
 */
export function guessedValues(node: GraphNode): Map<string, Json> {
  if (node.values === undefined) return new Map();
  if (!isList(node.values)) return new Map(Object.entries(node.values));
  const values = new Map<string, Json>();
  let at = 0;
  for (const slot of node.inputs) {
    if (slot.widget === undefined) continue;
    if (at > 0 && /seed/i.test([...values.keys()].at(-1) ?? '') && isControl(node.values[at])) at++;
    if (at >= node.values.length) break;
    values.set(slot.widget, node.values[at++]);
  }
  return values;
}
