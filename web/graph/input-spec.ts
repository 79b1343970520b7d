import type { NodeInfo } from '../api/types.ts';
import { customWidgets } from './custom-widgets.ts';

/** The control drawn for an input that has one; `null` for inputs that are only sockets. */
export type WidgetKind =
  | 'int'
  | 'float'
  | 'boolean'
  | 'string'
  | 'combo'
  | 'dynamic'
  | 'color'
  | 'curve'
  | 'colors'
  | 'box'
  | 'boxes'
  | 'compare'
  | 'paint'
  | 'custom'
  | 'opaque';

/** One input of a node class, with legacy (array) combos and V3 combos brought to one form. */
export interface InputSpec {
  readonly name: string;
  readonly required: boolean;
  /** The socket's type; `COMBO` for every choice list. */
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly widget: WidgetKind | null;
  /** Whether a `control_after_generate` value follows this input's value in widgets_values. */
  readonly controlled: boolean;
}

const widgetKinds: Readonly<Record<string, WidgetKind>> = {
  INT: 'int',
  FLOAT: 'float',
  BOOLEAN: 'boolean',
  STRING: 'string',
  COMBO: 'combo',
  COMFY_DYNAMICCOMBO_V3: 'dynamic',
  MARKDOWN: 'string',
  COLOR: 'color',
  CURVE: 'curve',
  COLORS: 'colors',
  BOUNDING_BOX: 'box',
  BOUNDING_BOXES: 'boxes',
  IMAGECOMPARE: 'compare',
  // Editors of their own in ComfyUI: their value is kept and shown, not edited.
  WEBCAM: 'opaque',
  AUDIO_RECORD: 'opaque',
  LOAD_3D: 'opaque',
  LOAD_3D_ANIMATION: 'opaque',
  COMPOSITOR: 'opaque',
  PAINTER: 'paint',
};

/** Declared inputs of a node in the order their widgets are made: required, then optional. */
export function inputSpecs(info: NodeInfo): InputSpec[] {
  const specs: InputSpec[] = [];
  for (const group of ['required', 'optional'] as const) {
    const inputs = info.input[group] ?? {};
    // Packs add inputs without a word about their order.
    const order = new Set([...(info.input_order?.[group] ?? []), ...Object.keys(inputs)]);
    for (const name of order) {
      if (name in inputs) specs.push(inputSpec(name, inputs[name], group === 'required'));
    }
  }
  return specs;
}

/** Reads `[type, options?]`; a malformed description becomes a `*` socket rather than an error. */
export function inputSpec(name: string, raw: unknown, required: boolean): InputSpec {
  const [rawType, rawOptions] = Array.isArray(raw) ? (raw as unknown[]) : [];
  const given = isRecord(rawOptions) ? rawOptions : {};
  const legacyCombo = Array.isArray(rawType);
  const type = legacyCombo ? 'COMBO' : typeof rawType === 'string' ? rawType : '*';
  const options = legacyCombo ? { ...given, options: rawType } : given;

  const widgetType = typeof options.widgetType === 'string' ? options.widgetType : type;
  const custom = customWidgets.has(widgetType) ? 'custom' : null;
  const widget = options.forceInput === true ? null : (custom ?? widgetKinds[widgetType] ?? null);
  const control = options.control_after_generate;
  const controlled =
    (widget === 'int' &&
      (control !== undefined ? Boolean(control) : name === 'seed' || name === 'noise_seed')) ||
    (widget === 'combo' && Boolean(control));
  return { name, required, type, options, widget, controlled };
}

/** Inputs and outputs of one type, whichever it is: `template.allowed_types` are those that are taken. */
const matchType = 'COMFY_MATCHTYPE_V3';

/** The type of an input's socket. */
export function slotType({ type, options: { template } }: InputSpec): string {
  if (type !== matchType) return type;
  return isRecord(template) && typeof template.allowed_types === 'string'
    ? template.allowed_types
    : '*';
}

/** The type of an output's socket, as /object_info tells it. */
export const outputType = (type: unknown): string =>
  typeof type !== 'string' ? 'COMBO' : type === matchType ? '*' : type;

/** The choices of a combo as text or numbers, in the server's order. */
export function comboChoices(spec: InputSpec): (string | number)[] {
  const { options } = spec.options;
  if (!Array.isArray(options)) return [];
  return options.filter((o) => typeof o === 'string' || typeof o === 'number');
}

/** Which upload a combo offers ('image', 'audio', 'video', 'file'), if any. */
export function uploadKind(spec: InputSpec): 'image' | 'audio' | 'video' | 'file' | null {
  // A painting is told to be uploaded too, but it is no file to be chosen.
  if (spec.type !== 'COMBO') return null;
  for (const kind of ['image', 'audio', 'video', 'file'] as const) {
    if (spec.options[`${kind}_upload`] === true) return kind;
  }
  return spec.options.animated_image_upload === true ? 'image' : null;
}

/** A file in a folder below, or of another one: never among the choices, and there all the same. */
export const isElsewhere = (name: string): boolean => /\/| \[(input|output|temp)\]$/.test(name);

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
