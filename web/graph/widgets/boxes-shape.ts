import { asArray, isRecord } from '../../../engine/workflow/records.ts';
import { readBox, type Box } from './box-shape.ts';

/** What is to be in a box. */
export interface BoxContent {
  readonly type: 'obj' | 'text';
  /** The letters to be read there; for `text` only. */
  readonly text: string;
  readonly desc: string;
  /** At most five of them are used. */
  readonly palette: readonly string[];
}

/** A box of a BOUNDING_BOXES value, in pixels of the canvas. */
export type FilledBox = Box & { readonly metadata: BoxContent };

export const emptyContent: BoxContent = { type: 'obj', text: '', desc: '', palette: [] };

/** Reads stored boxes; what is no box is left out, and what else they hold is kept. */
export const readBoxes = (value: unknown): readonly FilledBox[] =>
  asArray(value)
    .filter(isRecord)
    .map((box) => ({ ...box, ...readBox(box), metadata: readContent(box.metadata) }));

function readContent(value: unknown): BoxContent {
  const given = isRecord(value) ? value : {};
  const text = (v: unknown): string => (typeof v === 'string' ? v : '');
  return {
    ...given,
    type: given.type === 'text' ? 'text' : 'obj',
    text: text(given.text),
    desc: text(given.desc),
    palette: asArray(given.palette).filter((each) => typeof each === 'string'),
  };
}
