import type { Texts } from '../texts.ts';
import { canvas } from './canvas.ts';
import { documents } from './documents.ts';
import { gallery } from './gallery.ts';
import { mask } from './mask.ts';
import { nodes } from './nodes.ts';
import { queue } from './queue.ts';
import { widgets } from './widgets.ts';

/** 简体中文, by parts of the page. */
export const texts: Texts = {
  ...canvas,
  ...documents,
  ...gallery,
  ...mask,
  ...nodes,
  ...queue,
  ...widgets,
};
