import type { Texts } from '../texts.ts';
import { canvas } from './canvas.ts';
import { documents } from './documents.ts';
import { forms } from './forms.ts';
import { gallery } from './gallery.ts';
import { mask } from './mask.ts';
import { missing } from './missing.ts';
import { nodes } from './nodes.ts';
import { page } from './page.ts';
import { phone } from './phone.ts';
import { queue } from './queue.ts';
import { subgraphs } from './subgraphs.ts';
import { widgets } from './widgets.ts';

/** 简体中文, by parts of the page. */
export const texts: Texts = {
  ...page,
  ...canvas,
  ...subgraphs,
  ...forms,
  ...missing,
  ...phone,
  ...documents,
  ...gallery,
  ...mask,
  ...nodes,
  ...queue,
  ...widgets,
};
