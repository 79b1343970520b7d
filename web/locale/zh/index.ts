import type { Texts } from '../texts.ts';
import { canvas } from './canvas.ts';
import { documents } from './documents.ts';
import { forms } from './forms.ts';
import { gallery } from './gallery.ts';
import { mask } from './mask.ts';
import { nodes } from './nodes.ts';
import { page } from './page.ts';
import { phone } from './phone.ts';
import { queue } from './queue.ts';
import { subgraphs } from './subgraphs.ts';
import { training } from './training.ts';
import { widgets } from './widgets.ts';

/** The parts of the page; each text stands in one of them. */
export const parts: readonly Texts[] = [
  canvas,
  documents,
  forms,
  gallery,
  mask,
  nodes,
  page,
  phone,
  queue,
  subgraphs,
  training,
  widgets,
];

/** 简体中文 */
export const texts: Texts = Object.assign({}, ...parts) as Texts;
