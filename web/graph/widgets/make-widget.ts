import type { LGraphNode } from '@comfyorg/litegraph';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import { addCustomWidgets } from '../custom-widgets.ts';
import { comboChoices, uploadKind, type InputSpec } from '../input-spec.ts';
import type { EditorHooks } from '../hooks.ts';
import { toInt } from '../integer.ts';
import { PushButton } from './button.ts';
import { Choice, type FileChoice } from './choice.ts';
import { directories } from './file-list.ts';
import { makeSeedControl } from './seed-control.ts';
import { Multiline } from './multiline.ts';
import { numberLimits, NumberBox } from './number.ts';
import { Opaque } from './opaque.ts';
import { TextLine } from './text-line.ts';
import { Toggle } from './toggle.ts';

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
        label: `choose ${upload === 'file' ? 'file' : upload} to upload`,
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
export function makeWidget(node: LGraphNode, spec: InputSpec, hooks: EditorHooks): IBaseWidget {
  const { name, options } = spec;
  const callback = (): void => hooks.edited();
  const base = { name, y: 0, callback };
  switch (spec.widget) {
    case 'int':
    case 'float': {
      const limits = numberLimits(spec);
      const given = limits.integer ? toInt(options.default) : options.default;
      const value = (given ?? limits.min ?? 0) as number;
      return new NumberBox({ ...base, type: 'number', value, options: {}, limits }, node);
    }
    case 'boolean':
      return new Toggle(
        {
          ...base,
          type: 'toggle',
          value: options.default === true,
          options: { on: textOr(options.label_on), off: textOr(options.label_off) },
        },
        node,
      );
    case 'combo': {
      const values = comboChoices(spec) as string[];
      const value = (options.default as string | undefined) ?? values[0] ?? '';
      const files = fileChoice(node, spec, hooks);
      return new Choice({ ...base, type: 'combo', value, options: { values }, files }, node);
    }
    case 'string': {
      const value = textOr(options.default) ?? '';
      if (options.multiline !== true && spec.type !== 'MARKDOWN') {
        return new TextLine({ ...base, type: 'text', value, options: {} }, node);
      }
      return new Multiline(
        {
          ...base,
          type: 'text',
          value,
          options: {},
          settings: {
            placeholder: textOr(options.placeholder) ?? name,
            onEdited: hooks.edited,
            vocabulary: hooks.vocabulary,
          },
        },
        node,
      );
    }
    default:
      return new Opaque({ ...base, type: 'custom', value: '', options: {} }, node);
  }
}

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
