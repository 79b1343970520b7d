import type { LGraphNode } from '@comfyorg/litegraph';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import { addCustomWidgets } from '../custom-widgets.ts';
import { asArray, isRecord } from '../../../engine/workflow/records.ts';
import { comboChoices, uploadKind, type InputSpec, type WidgetKind } from '../input-spec.ts';
import type { EditorHooks } from '../hooks.ts';
import { toInt } from '../integer.ts';
import { BoxField } from './box.ts';
import { BoxesField } from './boxes.ts';
import { PushButton } from './button.ts';
import { Choice, type FileChoice } from './choice.ts';
import { ColorField, hexNumber, hexText } from './color.ts';
import { ColorsField } from './colors.ts';
import { CompareView } from './compare-view.ts';
import { CurveField } from './curve.ts';
import { DynamicChoice } from './dynamic-choice.ts';
import { directories } from './file-folders.ts';
import { makeSeedControl } from './seed-control.ts';
import { Multiline } from './multiline.ts';
import { numberLimits, NumberBox } from './number.ts';
import { Opaque } from './opaque.ts';
import { PaintField } from './paint.ts';
import { TextLine } from './text-line.ts';
import { Toggle } from './toggle.ts';
import { t } from '../../locale/translate.ts';

/** What the button says that lets one choose a file. */
const uploadTexts = {
  image: 'Choose a picture to upload',
  audio: 'Choose a sound to upload',
  video: 'Choose a video to upload',
  file: 'Choose a file to upload',
} as const;

/** Adds the field(s) of one input to a node: the value, then its seed control or upload button. */
export function addInputWidgets(
  node: LGraphNode,
  spec: InputSpec,
  hooks: EditorHooks,
): IBaseWidget[] {
  if (spec.widget === 'custom') {
    return addCustomWidgets(node, spec.name, spec.type, spec.options);
  }
  const widget = makeWidget(node, spec, hooks);
  node.addCustomWidget(widget);
  if (typeof spec.options.tooltip === 'string') widget.tooltip = spec.options.tooltip;
  if (spec.options.advanced === true) widget.advanced = true;
  if (typeof spec.options.display_name === 'string') widget.label = spec.options.display_name;
  const added: IBaseWidget[] = [widget];

  if (spec.controlled) {
    const control = makeSeedControl(node, spec.widget === 'combo', controlDefault(spec));
    node.addCustomWidget(control);
    widget.linkedWidgets = [control];
    added.push(control);
  }
  const upload = uploadKind(spec);
  if (upload !== null) {
    const button = new PushButton(
      {
        name: 'upload',
        label: t(uploadTexts[upload]),
        type: 'button',
        value: 'image',
        clicked: false,
        options: {},
        y: 0,
        press: () => hooks.chooseFile(node, spec.name, upload),
      },
      node,
    );
    node.addCustomWidget(button);
    added.push(button);
    widget.callback = (value: unknown) => {
      if (typeof value === 'string') hooks.showInputFile(node, value);
      hooks.edited();
    };
  }
  return added;
}

/** The field for one input, holding its default. */
export const makeWidget = (node: LGraphNode, spec: InputSpec, hooks: EditorHooks): IBaseWidget =>
  makers[spec.widget ?? 'opaque'](node, spec, hooks);

type Maker = typeof makeWidget;

const baseOf = ({ name }: InputSpec, { edited }: EditorHooks) => ({
  name,
  y: 0,
  callback: () => edited(),
});

const makeNumber: Maker = (node, spec, hooks) => {
  const { options } = spec;
  const base = baseOf(spec, hooks);
  const limits = numberLimits(spec);
  const given = limits.integer ? toInt(options.default) : options.default;
  const value = (given ?? limits.min ?? 0) as number;
  if (options.display === 'color') {
    return new ColorField({ ...base, ...custom, value: value as never, form: hexNumber }, node);
  }
  return new NumberBox({ ...base, type: 'number', value, options: {}, limits }, node);
};

const makeText: Maker = (node, spec, hooks) => {
  const { options, name } = spec;
  const base = baseOf(spec, hooks);
  const value = textOr(options.default) ?? '';
  if (options.multiline !== true && spec.type !== 'MARKDOWN') {
    return new TextLine({ ...base, type: 'text', value, options: {} }, node);
  }
  const settings = {
    placeholder: textOr(options.placeholder) ?? name,
    onEdited: hooks.edited,
    vocabulary: hooks.vocabulary,
  };
  return new Multiline({ ...base, type: 'text', value, options: {}, settings }, node);
};

const custom = { type: 'custom', options: {} } as const;

/** What fields of their own share: a value of any form, which each node has for itself. */
const customOf = (spec: InputSpec, hooks: EditorHooks) => ({
  ...baseOf(spec, hooks),
  ...custom,
  value: structuredClone(spec.options.default ?? '') as string | object,
});

const makeOpaque: Maker = (node, spec, hooks) => new Opaque(customOf(spec, hooks), node);

/** The field of each kind. */
const makers: Readonly<Record<WidgetKind, Maker>> = {
  int: makeNumber,
  float: makeNumber,
  string: makeText,
  boolean: (node, spec, hooks) => {
    const { default: value, label_on: on, label_off: off } = spec.options;
    const options = { on: textOr(on), off: textOr(off) };
    const base = baseOf(spec, hooks);
    return new Toggle({ ...base, type: 'toggle', value: value === true, options }, node);
  },
  combo: (node, spec, hooks) => {
    const values = comboChoices(spec) as string[];
    const value = (spec.options.default as string | undefined) ?? values[0] ?? '';
    const files = fileChoice(node, spec, hooks);
    const base = baseOf(spec, hooks);
    const { modelPictures: pictures } = hooks;
    return new Choice(
      { ...base, type: 'combo', value, options: { values }, files, pictures },
      node,
    );
  },
  dynamic: (node, spec, hooks) => {
    const values = asArray(spec.options.options)
      .filter(isRecord)
      .map(({ key }) => key as string);
    const value = (spec.options.default as string | undefined) ?? values[0] ?? '';
    const base = baseOf(spec, hooks);
    return new DynamicChoice({ ...base, type: 'combo', value, options: { values } }, node);
  },
  color: (node, spec, hooks) => new ColorField({ ...customOf(spec, hooks), form: hexText }, node),
  curve: (node, spec, hooks) =>
    new CurveField({ ...customOf(spec, hooks), edited: hooks.edited }, node),
  colors: (node, spec, hooks) => new ColorsField(customOf(spec, hooks), node),
  boxes: (node, spec, hooks) => new BoxesField(customOf(spec, hooks), node),
  box: (node, spec, hooks) => new BoxField(customOf(spec, hooks), node),
  paint: (node, spec, hooks) => {
    const press = (): void => hooks.paint(node, spec.name);
    return new PaintField({ ...customOf(spec, hooks), press }, node);
  },
  compare: (node, spec, hooks) => new CompareView(customOf(spec, hooks), node),
  opaque: makeOpaque,
  // Fields of packs are made by the packs, where there is a node for them.
  custom: makeOpaque,
};

/** What a combo for uploads offers besides its choices; null for all others. */
function fileChoice(node: LGraphNode, spec: InputSpec, hooks: EditorHooks): FileChoice | null {
  const kind = uploadKind(spec);
  if (kind === null || kind === 'file') return null;
  const { image_folder: folder } = spec.options;
  return {
    kind,
    source: hooks.files,
    directory: directories.find((name) => name === folder) ?? 'input',
    upload: () => hooks.chooseFile(node, spec.name, kind),
  };
}

const controlDefault = (spec: InputSpec): string =>
  typeof spec.options.control_after_generate === 'string'
    ? spec.options.control_after_generate
    : 'randomize';

const textOr = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
