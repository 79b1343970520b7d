import type { Texts } from '../texts.ts';
import { documents } from './documents.ts';
import { gallery } from './gallery.ts';
import { mask } from './mask.ts';
import { queue } from './queue.ts';
import { widgets } from './widgets.ts';

/** 简体中文, by parts of the page. */
export const texts: Texts = {
  ...documents,
  ...gallery,
  ...mask,
  ...queue,
  ...widgets,
};
