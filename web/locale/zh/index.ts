import type { Texts } from '../texts.ts';
import { documents } from './documents.ts';
import { mask } from './mask.ts';
import { queue } from './queue.ts';

/** 简体中文, by parts of the page. */
export const texts: Texts = { ...documents, ...mask, ...queue };
