/** How an input is asked for, from what the server says of it. */
import type { Json } from '../lossless-json.ts';
import type { InputInfo } from '../types.ts';
import type { FieldKind } from './form.ts';
import { modelFolder } from './rules.ts';

const UPLOADS: readonly (readonly [flag: string, kind: FieldKind])[] = [
  ['image_upload', 'image'],
  ['animated_image_upload', 'image'],
  ['video_upload', 'video'],
  ['audio_upload', 'audio'],
];

/** The kind of field for an input; undefined where a form has nothing to show for it. */
export function fieldKind(type: string, name: string, input: InputInfo): FieldKind | undefined {
  const options = input[1] ?? {};
  const upload = UPLOADS.find(([flag]) => options[flag] === true)?.[1];
  if (upload !== undefined) return type === 'LoadImageMask' ? 'mask' : upload;
  if (choicesOf(input) !== undefined) {
    return modelFolder(type, name) === undefined ? 'select' : 'model';
  }
  switch (input[0]) {
    case 'INT':
      return /^(noise_)?seed$/.test(name) ? 'seed' : 'int';
    case 'FLOAT':
      return 'float';
    case 'BOOLEAN':
      return 'bool';
    case 'STRING':
      return options.multiline === true ? 'longtext' : 'text';
    default:
      return undefined;
  }
}

/** What may be chosen for an input; undefined where anything may be. */
export function choicesOf(input: InputInfo): readonly (string | number)[] | undefined {
  const [type, options = {}] = input;
  const given = Array.isArray(type)
    ? (type as readonly unknown[])
    : type === 'COMBO'
      ? options.options
      : undefined;
  if (!Array.isArray(given) || options.multiselect === true) return undefined;
  return (given as unknown[]).filter(
    (choice): choice is string | number => typeof choice === 'string' || typeof choice === 'number',
  );
}

/** Whether a value is one that a field can hold: no link and nothing made of parts. */
export const isPlainValue = (value: Json | undefined): value is Json =>
  value !== undefined && (value === null || typeof value !== 'object' || 'value' in value);
